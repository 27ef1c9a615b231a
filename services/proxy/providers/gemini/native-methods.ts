import type { CountContentTokensRequest } from '../../../../schema/http/count-content-tokens.ts';
import type { EmbedContentRequest } from '../../../../schema/http/embed-content.ts';
import { parseExactJson } from '../../body/exact-json.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields, parseFields } from '../../body/json-fields.ts';
import type { AnswerReader, AnswerReading, Operation } from '../provider.ts';
import { NO_FACTS, NOTHING } from '../provider.ts';
import { embeddingFacts } from './embed.ts';
import { readGoogleError } from './failure.ts';
import { contentAnswers, withBody } from './native.ts';
import { modelPath } from './request.ts';

/** Members that hold a request which names its model again. */
const HOLDERS = ['generateContentRequest', 'generate_content_request'];
const MODEL = Buffer.from('"model"');

const counts = wholeAnswers((answer) =>
  typeof answer.totalTokens === 'number' ? { facts: NO_FACTS, body: null, refusal: null, billing: 'free' } : null,
);
const embeddings = wholeAnswers((answer, bytes) =>
  isFields(answer.embedding) || Array.isArray(answer.embeddings)
    ? { facts: embeddingFacts(answer.usageMetadata, bytes), body: null, refusal: null }
    : null,
);

/** How long contents are. Google charges nothing for it. @param models where the models are, below the base URL. */
export function nativeCountTokens(models: string): Operation<CountContentTokensRequest> {
  return ({ bytes }, { upstreamModel }) => ({
    path: `${models}${modelPath(upstreamModel)}:countTokens`,
    body: withModel(bytes, upstreamModel),
    headers: NOTHING,
    answers: counts,
    notCarried: NOTHING,
  });
}

/** What contents are as vectors, which are not looked into. */
export const nativeEmbedContent: Operation<EmbedContentRequest> = ({ bytes, request: { method } }, { upstreamModel }) => ({
  path: `/models/${modelPath(upstreamModel)}:${method}`,
  body: withModel(bytes, upstreamModel),
  headers: NOTHING,
  answers: embeddings,
  notCarried: NOTHING,
});

/** Answers of methods that never stream. */
function wholeAnswers(read: (answer: Fields, bytes: Buffer) => AnswerReading | null): AnswerReader {
  return {
    ...contentAnswers,
    isStream: () => false,
    readAnswer: (bytes) => {
      const answer = parseFields(bytes);
      if (answer === null) return null;
      if (isFields(answer.error)) return { facts: NO_FACTS, body: null, refusal: withBody(readGoogleError(answer.error), bytes) };
      return read(answer, bytes);
    },
  };
}

/** The body by the provider's name of the model wherever a request in it names the model; each other byte stays where none does. */
function withModel(bytes: Buffer, upstreamModel: string): Buffer {
  if (!bytes.includes(MODEL)) return bytes;
  const body = parseExactJson(bytes.toString('utf8'));
  if (!isFields(body)) return bytes;
  const renamed = (request: unknown): unknown =>
    isFields(request) && request.model !== undefined ? { ...request, model: `models/${upstreamModel}` } : request;
  const held = Object.entries(body).map(([name, value]) => [
    name,
    HOLDERS.includes(name) ? renamed(value) : name === 'requests' && Array.isArray(value) ? value.map(renamed) : value,
  ]);
  return Buffer.from(JSON.stringify(renamed(Object.fromEntries(held))), 'utf8');
}
