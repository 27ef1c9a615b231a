import type { ChatCompletionRequest } from '../../../schema/http/chat-completions.ts';
import type { OutputCap } from '../../../schema/values/output-cap.ts';
import type { BoundingModel, TokenBound } from '../budgets/token-bound.ts';
import { largestMember, tokenBound } from '../budgets/token-bound.ts';

/**
 * Bounds a chat completion from above. What is said twice, under one name or two, counts as the larger: it is the provider who decides which it believes.
 * @param bytes of the body, which `request` was parsed from.
 */
export function chatBound(request: ChatCompletionRequest, bytes: Buffer, model: BoundingModel, outputCap: OutputCap | null): TokenBound {
  const counted = {
    textBytes: bytes.length,
    otherParts: countOtherParts(request.messages),
    outputLimit: chatOutputLimit(request, bytes),
    choices: largestMember(bytes, 'n', request.n) ?? 1,
  };
  return tokenBound(counted, model, outputCap);
}

/** The limit that a chat completion sets itself for each choice of its answer, the largest of several; null: none. */
export function chatOutputLimit(request: ChatCompletionRequest, bytes: Buffer): number | null {
  const older = largestMember(bytes, 'max_tokens', request.max_tokens);
  const newer = largestMember(bytes, 'max_completion_tokens', request.max_completion_tokens);
  return older === null || newer === null ? (older ?? newer) : Math.max(older, newer);
}

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
