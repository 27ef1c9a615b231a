import type { Static } from 'typebox';
import { Type } from 'typebox';
import { createRequestReader, orNull } from './request-reader.ts';
import { promptTokensOf } from './token-counts.ts';

/** Cohere's own limit. */
const mostDocuments = 10_000;

/** What the simulator reads of a request to rank documents. Other fields are allowed. */
const RerankRequest = Type.Object({
  model: Type.String(),
  query: Type.String({ minLength: 1 }),
  documents: Type.Array(Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())]), { minItems: 1, maxItems: mostDocuments }),
  top_n: orNull(Type.Integer({ minimum: 1 })),
  return_documents: orNull(Type.Boolean()),
  metadata: orNull(Type.Record(Type.String(), Type.Unknown())),
});
export type RerankRequest = Static<typeof RerankRequest>;

export const parseRerankRequest = createRequestReader(RerankRequest);

type Document = RerankRequest['documents'][number];

/** What a document is ranked by: all that it has. */
function textOf(document: Document): string {
  return typeof document === 'string' ? document : JSON.stringify(document);
}

const wordsOf = (text: string): ReadonlySet<string> => new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);

/** The query is read with each of the documents, as rerankers do, and billed with each. */
export function rerankTokensOf({ query, documents }: RerankRequest): number {
  return documents.reduce((sum, document) => sum + promptTokensOf(query) + promptTokensOf(textOf(document)), 0);
}

/** Where a document stood, and from 0.01 to 0.99 which share of the words of the query it has. */
export type Ranked = { readonly index: number; readonly relevance_score: number; readonly document?: object };

/** The best first; of equals the one that came first. */
export function rank({ query, documents, top_n: most, return_documents: returns }: RerankRequest): readonly Ranked[] {
  const wanted = wordsOf(query);
  const ranked = documents.map((document, index): Ranked => {
    const words = wordsOf(textOf(document));
    const found = [...wanted].filter((word) => words.has(word)).length;
    const score = { index, relevance_score: Number((0.01 + (0.98 * found) / Math.max(1, wanted.size)).toFixed(6)) };
    return returns === true ? { ...score, document: typeof document === 'string' ? { text: document } : document } : score;
  });
  return ranked.sort((one, other) => other.relevance_score - one.relevance_score).slice(0, most ?? documents.length);
}
