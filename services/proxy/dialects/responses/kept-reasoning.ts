import { isFields } from '../../body/json-fields.ts';

/**
 * What a provider wants back unchanged with the results of the tools it called: the signature of its thinking, thinking it does not show, or what proves
 * that it thought before a call. Nothing is stored here, so it travels in the `encrypted_content` of a reasoning item, which applications
 * hand back as they got it.
 */
export type KeptReasoning =
  | { readonly kind: 'thinking'; readonly signature: string }
  | { readonly kind: 'redacted'; readonly data: string }
  | { readonly kind: 'call'; readonly callId: string; readonly signature: string };

/** Tells ours from what a provider that speaks this API encrypted itself. */
const MARK = 'tpk1.';

/** The `encrypted_content` that keeps it. */
export function writeKeptReasoning(kept: KeptReasoning): string {
  return MARK + Buffer.from(JSON.stringify(kept), 'utf8').toString('base64url');
}

/** What an `encrypted_content` keeps; null: it is not one of ours. */
export function readKeptReasoning(text: string): KeptReasoning | null {
  if (!text.startsWith(MARK)) return null;
  let kept: unknown;
  try {
    kept = JSON.parse(Buffer.from(text.slice(MARK.length), 'base64url').toString('utf8'));
  } catch {
    return null;
  }
  if (!isFields(kept)) return null;
  const { kind, signature, data, callId } = kept;
  if (kind === 'thinking' && typeof signature === 'string') return { kind, signature };
  if (kind === 'redacted' && typeof data === 'string') return { kind, data };
  if (kind === 'call' && typeof callId === 'string' && typeof signature === 'string') return { kind, callId, signature };
  return null;
}
