import { GatewayError } from '../../../../schema/errors.ts';
import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import { isFields, parseFields } from '../../body/json-fields.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import type { EmbeddingsDialect, EmbeddingsWish, ReadVectors } from '../../dialects/embeddings/embeddings-dialect.ts';
import { vectorOf } from '../../dialects/embeddings/embeddings-dialect.ts';
import { embeddingFacts } from '../gemini/embed.ts';
import { readGoogleRefusal } from '../gemini/failure.ts';
import { modelPath } from '../gemini/request.ts';
import { embeddingTask } from '../gemini/task-type.ts';
import type { AnswerFacts } from '../provider.ts';
import { NO_FACTS } from '../provider.ts';
import { count } from '../usage-counts.ts';

/** Longest raw usage the event keeps (schema/events/request-settled.v1.ts). */
const MAX_RAW_USAGE = 4_096;

/** Texts embedded on Vertex AI: by `predict`, and by `embedContent` with the Gemini models that came later, one text a call. */
export const vertexEmbed: EmbeddingsDialect = { writeRequest, readAnswer, readRefusal: readGoogleRefusal };

function writeRequest({ texts, dimensions, others }: EmbeddingsWish, upstreamModel: string, notCarried: NotCarried) {
  const { taskType, title } = embeddingTask(others, notCarried);
  const path = `/publishers/google/models/${modelPath(upstreamModel)}`;
  const outputDimensionality = dimensions ?? undefined;
  if (!isContentModel(upstreamModel)) {
    const instances = texts.map((content) => ({ content, task_type: taskType, title }));
    return { path: `${path}:predict`, body: { instances, parameters: { outputDimensionality } } };
  }
  if (texts.length > 1) {
    throw new GatewayError('invalid_request', { message: 'On Vertex AI this model embeds one text a request.', param: 'input' });
  }
  const content = { parts: texts.map((text) => ({ text })) };
  return { path: `${path}:embedContent`, body: { content, embedContentConfig: { taskType, title, outputDimensionality } } };
}

/** As Google's own client tells them apart. */
function isContentModel(upstreamModel: string): boolean {
  return upstreamModel.includes('gemini') && upstreamModel !== 'gemini-embedding-001';
}

function readAnswer(bytes: Buffer): ReadVectors | null {
  const answer = parseFields(bytes);
  if (answer === null) return null;
  if (isFields(answer.embedding)) {
    const vector = vectorOf(answer.embedding.values);
    return vector === null ? null : { vectors: [vector], facts: embeddingFacts(answer.usageMetadata, bytes) };
  }
  if (!Array.isArray(answer.predictions)) return null;
  const embeddings = answer.predictions.map((prediction) => (isFields(prediction) ? prediction.embeddings : null)).filter(isFields);
  const vectors = embeddings.map(({ values }) => vectorOf(values)).filter((vector) => vector !== null);
  if (vectors.length !== answer.predictions.length) return null;
  return { vectors, facts: predictionFacts(embeddings.map(({ statistics }) => statistics)) };
}

/** Each text says how many tokens it was; where one does not, their sum is not known. */
function predictionFacts(statistics: readonly unknown[]): AnswerFacts {
  const flags: string[] = [];
  let input: number | null = 0;
  for (const told of statistics) {
    const tokens = isFields(told) ? count(told.token_count, flags) : null;
    input = input === null || tokens === null ? null : input + tokens;
  }
  const raw = JSON.stringify({ statistics });
  const rawUsage = raw.length > MAX_RAW_USAGE ? null : raw;
  if (input === null) return { ...NO_FACTS, rawUsage, usageFlags: [...flags, 'usage_missing'] };
  return { ...NO_FACTS, usage: { ...UNKNOWN_USAGE, input, output: 0 }, rawUsage, usageFlags: flags };
}
