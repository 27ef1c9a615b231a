import type { EmbeddingsRequest } from '../../../schema/http/embeddings.ts';
import type { BoundingModel, TokenBound } from '../budgets/token-bound.ts';
import { everyValue } from '../budgets/token-bound.ts';

/** What models put around each input. */
const INPUT_ALLOWANCE_TOKENS = 16;
/** Of a picture or whatever else is no text, where the model's context does not bound it. */
const PART_TOKENS = 65_536;

/**
 * Bounds an embeddings request from above: tokens count for themselves, a text for its bytes, and no input counts for more than the context of the
 * model, which each of them has for itself.
 * @param bytes of the body, which `request` was parsed from.
 */
export function embeddingsBound({ input }: EmbeddingsRequest, bytes: Buffer, { contextWindow }: BoundingModel): TokenBound {
  const most = contextWindow ?? Number.POSITIVE_INFINITY;
  return { input: Math.max(...everyValue(bytes, 'input', input).map((given) => boundOf(given, most))), output: 0 };
}

function boundOf(input: unknown, most: number): number {
  if (!Array.isArray(input)) return boundOfOne(input, most);
  const items: readonly unknown[] = input;
  // Numbers are one input of so many tokens.
  if (items.length > 0 && items.every(isToken)) return boundOfOne(items, most);
  return items.reduce<number>((sum, item) => sum + boundOfOne(item, most), 0);
}

function boundOfOne(input: unknown, most: number): number {
  return Math.min(tokensOf(input) + INPUT_ALLOWANCE_TOKENS, most);
}

function tokensOf(input: unknown): number {
  if (typeof input === 'string') return Buffer.byteLength(input);
  if (Array.isArray(input) && input.every(isToken)) return input.length;
  return Buffer.byteLength(JSON.stringify(input)) + PART_TOKENS;
}

function isToken(item: unknown): boolean {
  return typeof item === 'number';
}
