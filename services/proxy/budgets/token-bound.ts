import type { ChatCompletionRequest } from '../../../schema/http/chat-completions.ts';
import type { OutputCap } from '../../../schema/values/output-cap.ts';

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
 * higher, and in place of one that of its route.
 */
export function tokenBound(
  request: ChatCompletionRequest,
  bodyBytes: number,
  model: { readonly contextWindow: number | null; readonly maxOutputTokens: number | null },
  outputCap: OutputCap | null,
): TokenBound {
  const most = model.contextWindow ?? Number.POSITIVE_INFINITY;
  const otherParts = countOtherParts(request.messages);
  const bytes = bodyBytes + ALLOWANCE_TOKENS;
  const input = otherParts === 0 ? Math.min(bytes, most) : Number.isFinite(most) ? most : bytes + otherParts * PART_TOKENS;
  const limit = outputLimitOf(request) ?? outputCap?.tokens ?? Number.POSITIVE_INFINITY;
  const output = Math.min(limit, model.maxOutputTokens ?? Number.POSITIVE_INFINITY, most);
  return { input, output: (Number.isFinite(output) ? output : UNBOUNDED_OUTPUT_TOKENS) * (request.n ?? 1) };
}

/** The limit that a request sets itself for each choice of its answer; null: none. */
export function outputLimitOf(request: ChatCompletionRequest): number | null {
  return request.max_completion_tokens ?? request.max_tokens ?? null;
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
