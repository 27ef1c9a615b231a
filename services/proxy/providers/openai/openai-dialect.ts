import type { ChatCompletionRequest } from '../../../../schema/http/chat-completions.ts';
import type { EmbeddingsRequest } from '../../../../schema/http/embeddings.ts';
import type { ProviderProtocol } from '../../../../schema/values/provider-protocol.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import type { AnswerReader, AnswerReading, Asked, Operation, Operations, Provider } from '../provider.ts';
import { NOTHING } from '../provider.ts';
import { BILLING_OF_FAILURE, billingOfStatus } from './billing.ts';
import { prepareEmbeddings as prepareOpenaiEmbeddings } from './embeddings.ts';
import { readRefusal } from './failure.ts';
import { prepareModeration, readModeration } from './moderations.ts';
import type { Reading } from './reading.ts';
import { PLAIN_READING } from './reading.ts';
import { readReportedUsage } from './reported-usage.ts';
import { prepareCompletion, prepareChat as prepareOpenaiChat } from './request.ts';
import { readChatAnswer } from './response.ts';
import { prepareResponse } from './responses/request.ts';
import { readResponse } from './responses/response.ts';
import { ResponseStreamReader } from './responses/stream.ts';
import { ChatStreamReader, COMPLETION_CHUNKS } from './stream.ts';
import { readWholeAnswer } from './whole-answer.ts';

type PrepareBody<Request> = (asked: Asked<Request>, target: CompiledModel) => Buffer;

/** In what a provider that speaks OpenAI's dialect differs from it; what is left out is as OpenAI has it. */
export interface Peculiarities extends Partial<Reading> {
  /** What it serves besides chat completions; nothing. */
  readonly serves?: readonly Exclude<keyof Operations, 'chatCompletions'>[];
  /** Where an endpoint is found below the base URL. */
  readonly path?: (endpoint: string, target: CompiledModel) => string;
  /** The bodies for its endpoints. */
  readonly prepareChat?: PrepareBody<ChatCompletionRequest>;
  readonly prepareEmbeddings?: PrepareBody<EmbeddingsRequest>;
}

const sameEndpoint = (endpoint: string): string => endpoint;

/** A provider that speaks OpenAI's dialect: the reading of it stands here once, each provider adds what it does in another way. */
export function openaiDialect(protocol: ProviderProtocol, peculiarities: Peculiarities = {}): Provider {
  const { serves = [], path = sameEndpoint, prepareChat = prepareOpenaiChat, prepareEmbeddings = prepareOpenaiEmbeddings } = peculiarities;
  const { readCost = PLAIN_READING.readCost, meaningOf = PLAIN_READING.meaningOf } = peculiarities;
  const reading: Reading = { readCost, meaningOf };

  const operation = <Request>(endpoint: string, prepare: PrepareBody<Request>, answers: AnswerReader): Operation<Request> => {
    return (asked, target) => ({
      path: path(endpoint, target),
      body: prepare(asked, target),
      headers: NOTHING,
      answers,
      notCarried: NOTHING,
    });
  };
  const chatAnswers: AnswerReader = {
    isStream: (contentType) => contentType.includes('text/event-stream'),
    readAnswer: (bytes) => readChatAnswer(bytes, reading),
    createStreamReader: (expected, sink) => new ChatStreamReader(expected, sink, reading),
    readRefusal: (status, headers, body) => readRefusal(status, headers, body, meaningOf),
  };
  const responseAnswers: AnswerReader = {
    ...chatAnswers,
    readAnswer: (bytes) => readResponse(bytes, reading),
    createStreamReader: (_expected, sink) => new ResponseStreamReader(sink, reading),
  };
  const completionAnswers: AnswerReader = {
    ...chatAnswers,
    createStreamReader: (expected, sink) => new ChatStreamReader(expected, sink, reading, COMPLETION_CHUNKS),
  };
  /** Of endpoints that never stream. */
  const wholeAnswers = (read: (bytes: Buffer) => AnswerReading | null): AnswerReader => ({
    ...chatAnswers,
    isStream: () => false,
    readAnswer: read,
  });
  const embeddingAnswers = wholeAnswers((bytes) => readWholeAnswer(bytes, 'data', reading));
  const moderationAnswers = wholeAnswers((bytes) => readModeration(bytes, reading));

  return {
    protocol,
    operations: {
      chatCompletions: operation('/chat/completions', prepareChat, chatAnswers),
      ...(serves.includes('responses') ? { responses: operation('/responses', prepareResponse, responseAnswers) } : {}),
      ...(serves.includes('completions') ? { completions: operation('/completions', prepareCompletion, completionAnswers) } : {}),
      ...(serves.includes('embeddings') ? { embeddings: operation('/embeddings', prepareEmbeddings, embeddingAnswers) } : {}),
      ...(serves.includes('moderations') ? { moderations: operation('/moderations', prepareModeration, moderationAnswers) } : {}),
    },
    readUsage: (reported) => readReportedUsage(reported, readCost),
    billingOfStatus,
    billingOfFailure: (kind) => BILLING_OF_FAILURE[kind],
  };
}
