import type { Fields } from '../../body/json-fields.ts';
import { isFields, parseFields } from '../../body/json-fields.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import type { EmbeddingsDialect, EmbeddingsWish, ReadVectors } from '../../dialects/embeddings/embeddings-dialect.ts';
import { vectorOf } from '../../dialects/embeddings/embeddings-dialect.ts';
import { readRefusal } from '../openai/failure.ts';
import { rawUsageOf } from '../openai/response.ts';
import type { AnswerFacts } from '../provider.ts';
import { NO_FACTS } from '../provider.ts';
import { meaningOf } from './failure.ts';
import { embeddingUsage } from './reported-usage.ts';

/** Of its own words, those that an application may say beside OpenAI's. */
const OWN_WORDS: ReadonlySet<string> = new Set(['input_type', 'truncate', 'max_tokens']);

/** Cohere's v2 embed. Vectors come as numbers; what they are packed in is made here. */
export const cohereEmbed: EmbeddingsDialect = {
  writeRequest: (wish, model, notCarried) => ({ path: '/v2/embed', body: { model, ...writeEmbed(wish, notCarried) } }),
  readAnswer: (bytes) => {
    const answer = parseFields(bytes);
    const vectors = readVectors(answer);
    return vectors === null ? null : { vectors, facts: factsOf(answer?.meta, bytes) };
  },
  readRefusal: (status, headers, body) => readRefusal(status, headers, body, meaningOf),
};

/**
 * A request but for its model, wherever Cohere's models are served. What a text is for has to be said: most are stored to be found, so that a query has to
 * say of itself that it is one.
 */
export function writeEmbed({ texts, dimensions, others }: EmbeddingsWish, notCarried: NotCarried): Fields {
  const own: Record<string, unknown> = {};
  for (const [name, value] of others) {
    if (OWN_WORDS.has(name)) own[name] = value;
    else notCarried(name);
  }
  const output = dimensions === null ? {} : { output_dimension: dimensions };
  return { input_type: 'search_document', ...own, texts, embedding_types: ['float'], ...output };
}

/** The vectors of an answer; null when it is none. */
export function readVectors(answer: Fields | null): ReadVectors['vectors'] | null {
  const floats = answer !== null && isFields(answer.embeddings) ? answer.embeddings.float : null;
  if (!Array.isArray(floats)) return null;
  const vectors = floats.map(vectorOf).filter((vector) => vector !== null);
  return vectors.length === floats.length ? vectors : null;
}

function factsOf(meta: unknown, bytes: Buffer): AnswerFacts {
  const billed = isFields(meta) && isFields(meta.billed_units) ? meta.billed_units : {};
  const { usage, flags } = embeddingUsage(billed);
  return { ...NO_FACTS, usage, rawUsage: rawUsageOf(bytes, 'meta'), usageFlags: flags };
}
