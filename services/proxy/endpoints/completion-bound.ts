import type { CompletionRequest } from '../../../schema/http/completions.ts';
import type { OutputCap } from '../../../schema/values/output-cap.ts';
import type { BoundingModel, TokenBound } from '../budgets/token-bound.ts';
import { everyValue, largestMember, tokenBound } from '../budgets/token-bound.ts';

/**
 * Bounds a completion from above. Each prompt has the context of the model for itself, and as many answers as are asked for or, where the best of more
 * is, as are made to choose from: all of them are billed.
 * @param bytes of the body, which `request` was parsed from.
 */
export function completionBound(request: CompletionRequest, bytes: Buffer, model: BoundingModel, outputCap: OutputCap | null): TokenBound {
  const answers = Math.max(largestMember(bytes, 'n', request.n) ?? 1, largestMember(bytes, 'best_of', request.best_of) ?? 1);
  const prompts = Math.max(...everyValue(bytes, 'prompt', request.prompt).map(promptsOf));
  const outputLimit = largestMember(bytes, 'max_tokens', request.max_tokens);
  const one = tokenBound({ textBytes: bytes.length, otherParts: 0, outputLimit, choices: answers }, model, outputCap);
  if (prompts === 1) return one;
  const unbounded = tokenBound({ textBytes: bytes.length, otherParts: 0, outputLimit, choices: 1 }, NO_CONTEXT, null);
  return { input: Math.min(one.input * prompts, unbounded.input), output: one.output * prompts };
}

const NO_CONTEXT: BoundingModel = { contextWindow: null, maxOutputTokens: null };

/** How many prompts there are: a text is one, and so are the numbers of its tokens. */
export function promptsOf(prompt: unknown): number {
  if (!Array.isArray(prompt)) return 1;
  const items: readonly unknown[] = prompt;
  return items.every((item) => typeof item === 'number') ? 1 : items.length;
}
