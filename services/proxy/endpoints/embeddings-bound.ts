import type { EmbeddingsRequest } from '../../../schema/http/embeddings.ts';
import { soleMember } from '../body/json-members.ts';
import type { BoundingModel, TokenBound } from '../budgets/token-bound.ts';

/** What models put around each input. */
const INPUT_ALLOWANCE_TOKENS = 16;
/** Of a picture or whatever else is no text, where the model's context does not bound it. */
const PART_TOKENS = 65_536;

/**
 * Bounds an embeddings request from above: tokens count for themselves, a text for its bytes, and no input counts for more than the context of the
 * model, which each of them has for itself. Where `input` may be given twice, all of the body counts, since who reads it may believe the other one.
 * @param bytes of the body, which `request` was parsed from.
 */
export function embeddingsBound({ input }: EmbeddingsRequest, bytes: Buffer, { contextWindow }: BoundingModel): TokenBound {
  const most = contextWindow ?? Number.POSITIVE_INFINITY;
  if (soleMember(bytes, 'input') === null) return { input: bytes.length + INPUT_ALLOWANCE_TOKENS + othersOf(input), output: 0 };
  const bounded = (tokens: number): number => Math.min(tokens + INPUT_ALLOWANCE_TOKENS, most);
  if (typeof input === 'string') return { input: bounded(Buffer.byteLength(input)), output: 0 };
  // Numbers are one input of so many tokens.
  const single = input.filter((item) => typeof item === 'number').length;
  let sum = single === 0 ? 0 : bounded(single);
  for (const item of input) {
    if (typeof item === 'string') sum += bounded(Buffer.byteLength(item));
    else if (Array.isArray(item)) sum += bounded(item.every(isToken) ? item.length : partBound(item));
    else if (!isToken(item)) sum += bounded(partBound(item));
  }
  return { input: sum, output: 0 };
}

function isToken(item: unknown): boolean {
  return typeof item === 'number';
}

function isText(item: unknown): boolean {
  return typeof item === 'string' || isToken(item) || (Array.isArray(item) && item.every(isToken));
}

function partBound(part: unknown): number {
  return Buffer.byteLength(JSON.stringify(part)) + PART_TOKENS;
}

function othersOf(input: EmbeddingsRequest['input']): number {
  return typeof input === 'string' ? 0 : input.filter((item) => !isText(item)).length * PART_TOKENS;
}
