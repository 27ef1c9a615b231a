import type { OutputCap } from '../../../schema/values/output-cap.ts';
import type { MostUsed } from '../../pricing/worst-price.ts';
import { jsonMembers, soleMember } from '../body/json-members.ts';

/** Most tokens, and pieces, that a request can be billed for; output is that of all choices together. */
export type TokenBound = MostUsed;

/** What of a model bounds its requests; null: nobody says. */
export interface BoundingModel {
  readonly contextWindow: number | null;
  readonly maxOutputTokens: number | null;
}

/** What of a request bounds it. */
export interface BoundedRequest {
  /** Bytes of all its text; those of its whole body, mostly. */
  readonly textBytes: number;
  /** Parts that are not text: their bytes do not bound their tokens, since an address stands for a picture. */
  readonly otherParts: number;
  /** The limit it sets itself for each choice of its answer, the largest where it says it twice; null: none. */
  readonly outputLimit: number | null;
  readonly choices: number;
}

/** What providers put in front of a conversation and around its tools that is not in the body. */
const ALLOWANCE_TOKENS = 512;
/** Of a picture, a sound or a file, where neither its bytes nor the model's context bound it. */
const PART_TOKENS = 65_536;
/** Where neither the request nor the catalog bounds the answer. */
const UNBOUNDED_OUTPUT_TOKENS = 131_072;

/**
 * Bounds a request from above without a tokenizer: a token of text is at least a byte of it, and what a conversation is wrapped in is shorter than
 * the JSON that says it. What is not text is bounded by the context of the model. An output limit of the request's own counts where the model's is
 * higher, and in place of one that of its route.
 */
export function tokenBound(request: BoundedRequest, model: BoundingModel, outputCap: OutputCap | null): TokenBound {
  const { textBytes, otherParts, outputLimit, choices } = request;
  const most = model.contextWindow ?? Number.POSITIVE_INFINITY;
  const text = textBytes + ALLOWANCE_TOKENS;
  const input = otherParts === 0 ? Math.min(text, most) : Number.isFinite(most) ? most : text + otherParts * PART_TOKENS;
  const limit = outputLimit ?? outputCap?.tokens ?? Number.POSITIVE_INFINITY;
  const output = Math.min(limit, model.maxOutputTokens ?? Number.POSITIVE_INFINITY, most);
  return { input, output: (Number.isFinite(output) ? output : UNBOUNDED_OUTPUT_TOKENS) * choices };
}

/**
 * The largest value that a body has for a member, since who reads it may believe the first of two as well as the last, and one that believed the
 * other would bill above the hold; null: it has none.
 * @param last the value that was parsed. @param bytes of the body that it was parsed from.
 */
export function largestMember(bytes: Buffer, name: string, last: number | null | undefined): number | null {
  if (last === undefined) return null;
  if (soleMember(bytes, name) !== null) return last;
  let most = last;
  for (const { key, start, end } of jsonMembers(bytes) ?? []) {
    if (key !== name) continue;
    // Only the last was checked with the request; what is no number is refused by who believes it.
    const given = Math.min(Math.ceil(Number(bytes.toString('utf8', start, end))), Number.MAX_SAFE_INTEGER);
    if (given > (most ?? 0)) most = given;
  }
  return most;
}

/** Every value that a body has for a member, for the same reason: of most the one that was parsed. @param last that one. */
export function everyValue<Value>(bytes: Buffer, name: string, last: Value): readonly unknown[] {
  if (soleMember(bytes, name) !== null) return [last];
  const members = (jsonMembers(bytes) ?? []).filter(({ key }) => key === name);
  return members.length < 2 ? [last] : members.map(({ start, end }) => JSON.parse(bytes.toString('utf8', start, end)));
}
