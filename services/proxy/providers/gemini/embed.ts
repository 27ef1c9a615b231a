import { isFields, parseFields } from '../../body/json-fields.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import type { EmbeddingsDialect, EmbeddingsWish, ReadVectors } from '../../dialects/embeddings/embeddings-dialect.ts';
import { vectorOf } from '../../dialects/embeddings/embeddings-dialect.ts';
import { rawUsageOf } from '../openai/response.ts';
import type { AnswerFacts } from '../provider.ts';
import { NO_FACTS } from '../provider.ts';
import { readGoogleRefusal } from './failure.ts';
import { modelPath } from './request.ts';
import { embeddingTask } from './task-type.ts';
import { normalizeGeminiUsage } from './usage.ts';

/** `batchEmbedContents` of the Gemini API: each text is a request of its own in it. */
export const geminiEmbed: EmbeddingsDialect = { writeRequest, readAnswer, readRefusal: readGoogleRefusal };

function writeRequest({ texts, dimensions, others }: EmbeddingsWish, upstreamModel: string, notCarried: NotCarried) {
  const task = embeddingTask(others, notCarried);
  const requests = texts.map((text) => ({
    model: `models/${upstreamModel}`,
    content: { parts: [{ text }] },
    ...task,
    outputDimensionality: dimensions ?? undefined,
  }));
  return { path: `/models/${modelPath(upstreamModel)}:batchEmbedContents`, body: { requests } };
}

function readAnswer(bytes: Buffer): ReadVectors | null {
  const answer = parseFields(bytes);
  if (answer === null || !Array.isArray(answer.embeddings)) return null;
  const vectors = answer.embeddings.map((item) => (isFields(item) ? vectorOf(item.values) : null)).filter((vector) => vector !== null);
  return vectors.length === answer.embeddings.length ? { vectors, facts: embeddingFacts(answer.usageMetadata, bytes) } : null;
}

/** What Google says of an embedding; of many models it says nothing. Vectors are no output. */
export function embeddingFacts(usageMetadata: unknown, bytes: Buffer): AnswerFacts {
  if (!isFields(usageMetadata)) return { ...NO_FACTS, usageFlags: ['usage_missing'] };
  const { usage, flags } = normalizeGeminiUsage({ candidatesTokenCount: 0, ...usageMetadata });
  return { ...NO_FACTS, usage, rawUsage: rawUsageOf(bytes, 'usageMetadata'), usageFlags: flags };
}
