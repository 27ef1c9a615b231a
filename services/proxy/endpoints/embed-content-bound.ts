import type { EmbedContentRequest } from '../../../schema/http/embed-content.ts';
import { isFields } from '../body/json-fields.ts';
import type { BoundingModel, TokenBound } from '../budgets/token-bound.ts';
import { everyValue } from '../budgets/token-bound.ts';

/** Of a picture or whatever else is no text, where the model's context does not bound it. */
const PART_TOKENS = 65_536;

/**
 * Bounds a request for embeddings from above: a token of text is at least a byte of the body, what is no text is bounded by the context of the model, which
 * each of several has for itself. @param bytes of the body, which `request` was parsed from.
 */
export function embedContentBound(request: EmbedContentRequest, bytes: Buffer, { contextWindow }: BoundingModel): TokenBound {
  const given = request.method === 'embedContent' ? [request.body] : everyValue(bytes, 'requests', request.body.requests);
  const others = Math.max(...given.map(countOtherParts));
  return { input: bytes.length + others * (contextWindow ?? PART_TOKENS), output: 0 };
}

/** Of one request, or of a list of them. */
function countOtherParts(asked: unknown): number {
  const requests: readonly unknown[] = Array.isArray(asked) ? asked : [asked];
  return requests.reduce<number>((sum, request) => {
    const content = isFields(request) && isFields(request.content) ? request.content : {};
    const parts: readonly unknown[] = Array.isArray(content.parts) ? content.parts : [content.parts];
    return sum + parts.filter((part) => !isFields(part) || typeof part.text !== 'string').length;
  }, 0);
}
