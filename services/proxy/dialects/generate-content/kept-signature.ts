/**
 * What a provider wants back unchanged with what follows from its thinking: the signature of it, or thinking that it does not show. It travels in the
 * `thoughtSignature` of a part, which Google's clients hand back with the part. Some of them hold it as bytes and spell them anew, so that it is
 * base64 here whatever it is to its provider.
 */
export type KeptSignature =
  | { readonly kind: 'signature'; readonly signature: string }
  | { readonly kind: 'redacted'; readonly data: string };

/** Tells ours from what Google signed itself. */
const SIGNED = 'tpk1.signature.';
const REDACTED = 'tpk1.redacted.';

/** The `thoughtSignature` that keeps it. */
export function writeKeptSignature(kept: KeptSignature): string {
  return Buffer.from(kept.kind === 'signature' ? SIGNED + kept.signature : REDACTED + kept.data, 'utf8').toString('base64');
}

/** What a `thoughtSignature` keeps, in either alphabet of base64; null: it is not one of ours. */
export function readKeptSignature(text: string): KeptSignature | null {
  const kept = Buffer.from(text, 'base64').toString('utf8');
  if (kept.startsWith(SIGNED)) return { kind: 'signature', signature: kept.slice(SIGNED.length) };
  return kept.startsWith(REDACTED) ? { kind: 'redacted', data: kept.slice(REDACTED.length) } : null;
}
