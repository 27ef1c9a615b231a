import type { RerankRequest } from '../../../schema/http/rerank.ts';
import type { TokenBound } from '../budgets/token-bound.ts';
import { everyValue } from '../budgets/token-bound.ts';

/** What models put around a query and a document. */
const PAIR_ALLOWANCE_TOKENS = 16;
/** Of a picture or whatever else is no text. */
const MEDIA_TOKENS = 65_536;

/** Documents that a search unit is good for. */
const UNIT_DOCUMENTS = 100;
/** Up to so many tokens, with those of the query, a document is billed as one. */
const WHOLE_TOKENS = 500;
/** What each chunk of a longer one has of it at least: half, whatever the length of the query. */
const CHUNK_TOKENS = 250;
/** A longer query is cut. */
const QUERY_TOKENS = 2_048;

/** How large a query or a document is at most. */
interface Size {
  /** Of what is text. A token is at least a byte. */
  readonly bytes: number;
  readonly mediaTokens: number;
}

/**
 * Bounds a request to rank documents from above, in tokens and in searches, of which the model's price knows one. Each document is read together with
 * the query, so that those who bill tokens bill the query's with each of them; who bills searches bills a hundred documents as one, and counts the
 * chunks of a long one.
 * @param bytes of the body, which `request` was parsed from.
 */
export function rerankBound({ query, documents }: RerankRequest, bytes: Buffer): TokenBound {
  const queries = everyValue(bytes, 'query', query).map(sizeOf);
  const asked: Size = {
    bytes: Math.max(...queries.map((size) => size.bytes)),
    mediaTokens: Math.max(...queries.map(({ mediaTokens }) => mediaTokens)),
  };
  const bounds = everyValue(bytes, 'documents', documents).map((list) => boundOf(asked, listOf(list).map(sizeOf)));
  return {
    input: Math.max(...bounds.map(({ input }) => input)),
    output: 0,
    searches: Math.max(...bounds.map(({ searches }) => searches)),
  };
}

function boundOf(query: Size, documents: readonly Size[]): { readonly input: number; readonly searches: number } {
  let input = 0;
  let chunks = 0;
  for (const { bytes, mediaTokens } of documents) {
    const text = query.bytes + bytes;
    input += text + query.mediaTokens + mediaTokens + PAIR_ALLOWANCE_TOKENS;
    chunks += text <= WHOLE_TOKENS ? 1 : Math.ceil((Math.min(query.bytes, QUERY_TOKENS) + bytes) / CHUNK_TOKENS);
  }
  return { input, searches: Math.max(1, Math.ceil(chunks / UNIT_DOCUMENTS)) };
}

/** Of what has names, all of it counts, since any of it may be what is ranked by. */
function sizeOf(ranked: unknown): Size {
  if (typeof ranked === 'string') return { bytes: Buffer.byteLength(ranked), mediaTokens: 0 };
  const isMedia = typeof ranked === 'object' && ranked !== null && ('image' in ranked || 'content' in ranked);
  return { bytes: Buffer.byteLength(JSON.stringify(ranked)), mediaTokens: isMedia ? MEDIA_TOKENS : 0 };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
