import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '../../../../schema/errors.ts';
import type { EmbeddingsRequest } from '../../../../schema/http/embeddings.ts';
import { EMBEDDINGS } from '../../../../schema/http/embeddings.ts';
import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import { endpointRefusal } from '../../../registry/catalog/endpoint-refusal.ts';
import { parseFields } from '../../body/json-fields.ts';
import { bridgedEmbeddings } from '../../dialects/embeddings/bridged-embeddings.ts';
import type { EmbeddingsDialect } from '../../dialects/embeddings/embeddings-dialect.ts';
import { vectorOf } from '../../dialects/embeddings/embeddings-dialect.ts';
import { readVectors, writeEmbed } from '../cohere/embed.ts';
import type { AnswerFacts, Operation } from '../provider.ts';
import { NO_FACTS } from '../provider.ts';
import { count } from '../usage-counts.ts';
import { readRefusal } from './failure.ts';
import { modelPath } from './model-path.ts';

/** Where an answer of InvokeModel tells what a body of its maker's does not. */
const INPUT_TOKENS = 'x-amzn-bedrock-input-token-count';
const DIGITS = /^\d{1,15}$/;

/** Amazon's Titan embeds one text a call. */
const titanEmbed: EmbeddingsDialect = {
  writeRequest: ({ texts: [inputText, ...more], dimensions, others }, upstreamModel, notCarried) => {
    if (more.length > 0) throw new GatewayError('invalid_request', { message: 'This model embeds one text a request.', param: 'input' });
    for (const name of others.keys()) if (name !== 'normalize') notCarried(name);
    const body = { inputText, dimensions: dimensions ?? undefined, normalize: others.get('normalize') };
    return { path: modelPath(upstreamModel, 'invoke'), body };
  },
  readAnswer: (bytes, headers) => {
    const answer = parseFields(bytes);
    const vector = vectorOf(answer?.embedding);
    return vector === null ? null : { vectors: [vector], facts: factsOf(answer?.inputTextTokenCount, headers) };
  },
  readRefusal,
};

/** Cohere's bodies, without what they cost: that is told beside them, if at all. */
const cohereEmbed: EmbeddingsDialect = {
  writeRequest: (wish, upstreamModel, notCarried) => ({ path: modelPath(upstreamModel, 'invoke'), body: writeEmbed(wish, notCarried) }),
  readAnswer: (bytes, headers) => {
    const vectors = readVectors(parseFields(bytes));
    return vectors === null ? null : { vectors, facts: factsOf(null, headers) };
  },
  readRefusal,
};

function factsOf(told: unknown, headers: IncomingHttpHeaders): AnswerFacts {
  const flags: string[] = [];
  const beside = headers[INPUT_TOKENS];
  const input = count(told, flags) ?? (typeof beside === 'string' && DIGITS.test(beside) ? Number(beside) : null);
  if (input === null) return { ...NO_FACTS, usageFlags: [...flags, 'usage_missing'] };
  return {
    ...NO_FACTS,
    usage: { ...UNKNOWN_USAGE, input, output: 0 },
    rawUsage: JSON.stringify({ inputTokens: input }),
    usageFlags: flags,
  };
}

const byTitan = bridgedEmbeddings(titanEmbed);
const byCohere = bridgedEmbeddings(cohereEmbed);

/** InvokeModel of the makers whose bodies are known here. @throws {GatewayError} of the operation, for the models of others. */
export const bedrockEmbeddings: Operation<EmbeddingsRequest> = (asked, target, context) => {
  const { upstreamModel } = target;
  if (upstreamModel.includes('amazon.titan-embed-')) return byTitan(asked, target, context);
  if (upstreamModel.includes('cohere.embed-')) return byCohere(asked, target, context);
  throw endpointRefusal(target, EMBEDDINGS);
};
