import type { ChatCompletionRequest } from '../../../schema/http/chat-completions.ts';
import type { OutputCap } from '../../../schema/values/output-cap.ts';
import { jsonMembers, soleMember } from '../body/json-members.ts';

/** Most tokens a request can be billed for. */
export interface TokenBound {
  readonly input: number;
  /** Of all choices together. */
  readonly output: number;
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
 * higher, and in place of one that of its route. What is said twice, under one name or two, counts as the larger: it is the provider who decides which
 * it believes, and one that believed the other would bill above the hold.
 * @param bytes of the body, which `request` was parsed from.
 */
export function tokenBound(
  request: ChatCompletionRequest,
  bytes: Buffer,
  model: { readonly contextWindow: number | null; readonly maxOutputTokens: number | null },
  outputCap: OutputCap | null,
): TokenBound {
  const most = model.contextWindow ?? Number.POSITIVE_INFINITY;
  const otherParts = countOtherParts(request.messages);
  const text = bytes.length + ALLOWANCE_TOKENS;
  const input = otherParts === 0 ? Math.min(text, most) : Number.isFinite(most) ? most : text + otherParts * PART_TOKENS;
  const limit = outputLimitOf(request, bytes) ?? outputCap?.tokens ?? Number.POSITIVE_INFINITY;
  const output = Math.min(limit, model.maxOutputTokens ?? Number.POSITIVE_INFINITY, most);
  return { input, output: (Number.isFinite(output) ? output : UNBOUNDED_OUTPUT_TOKENS) * (largest(request, 'n', bytes) ?? 1) };
}

/** The limit that a request sets itself for each choice of its answer, the largest of several; null: none. */
export function outputLimitOf(request: ChatCompletionRequest, bytes: Buffer): number | null {
  const older = largest(request, 'max_tokens', bytes);
  const newer = largest(request, 'max_completion_tokens', bytes);
  return older === null || newer === null ? (older ?? newer) : Math.max(older, newer);
}

/** The largest value of a member, since who reads it may believe the first of two as well as the last; null: it has none. */
function largest(request: ChatCompletionRequest, name: 'max_tokens' | 'max_completion_tokens' | 'n', bytes: Buffer): number | null {
  const last = request[name];
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

/** Parts of messages that are not text: their bytes do not bound their tokens, since an address stands for a picture. */
function countOtherParts(messages: ChatCompletionRequest['messages']): number {
  let count = 0;
  for (const message of messages) {
    if (!('content' in message) || !Array.isArray(message.content)) continue;
    const parts: readonly unknown[] = message.content;
    for (const part of parts) if (!isText(part)) count += 1;
  }
  return count;
}

function isText(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return typeof part === 'string';
  return 'type' in part && (part.type === 'text' || part.type === 'refusal');
}
