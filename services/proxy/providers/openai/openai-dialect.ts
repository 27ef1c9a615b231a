import type { ProviderProtocol } from '../../../../schema/values/provider-protocol.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import type { AnswerReader, AskedChat, Provider } from '../provider.ts';
import { NOTHING } from '../provider.ts';
import { BILLING_OF_FAILURE, billingOfStatus } from './billing.ts';
import { readRefusal } from './failure.ts';
import type { Reading } from './reading.ts';
import { PLAIN_READING } from './reading.ts';
import { prepareChat as prepareOpenaiChat } from './request.ts';
import { readChatAnswer } from './response.ts';
import { ChatStreamReader } from './stream.ts';

/** In what a provider that speaks OpenAI's dialect differs from it; what is left out is as OpenAI has it. */
export interface Peculiarities extends Partial<Reading> {
  /** Where an endpoint is found below the base URL. */
  readonly path?: (endpoint: string, target: CompiledModel) => string;
  /** The body of a chat completion. */
  readonly prepareChat?: (asked: AskedChat, target: CompiledModel) => Buffer;
}

const sameEndpoint = (endpoint: string): string => endpoint;

/** A provider that speaks OpenAI's dialect: the reading of it stands here once, each provider adds what it does in another way. */
export function openaiDialect(protocol: ProviderProtocol, peculiarities: Peculiarities = {}): Provider {
  const { path = sameEndpoint, prepareChat = prepareOpenaiChat, ...own } = peculiarities;
  const reading: Reading = { ...PLAIN_READING, ...own };
  const chatAnswers: AnswerReader = {
    isStream: isEventStream,
    readAnswer: (bytes) => readChatAnswer(bytes, reading),
    createStreamReader: (expected, sink) => new ChatStreamReader(expected, sink, reading),
    readRefusal: (status, headers, body) => readRefusal(status, headers, body, reading.meaningOf),
  };
  return {
    protocol,
    operations: {
      chatCompletions: (asked, target) => ({
        path: path('/chat/completions', target),
        body: prepareChat(asked, target),
        headers: NOTHING,
        answers: chatAnswers,
        notCarried: NOTHING,
      }),
    },
    billingOfStatus,
    billingOfFailure: (kind) => BILLING_OF_FAILURE[kind],
  };
}

function isEventStream(contentType: string): boolean {
  return contentType.includes('text/event-stream');
}
