import type { IncomingHttpHeaders } from 'node:http';
import type { CountTokensRequest, MessagesRequest } from '../../../../schema/http/messages.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields } from '../../body/json-fields.ts';
import { keptRefusal, refuseKeptFiles } from '../kept-files.ts';
import { withModel } from '../openai/model-in-body.ts';
import { prepareChatBody } from '../openai/request.ts';
import type { AnswerReader, AnswerReading, Operation } from '../provider.ts';
import { NO_FACTS, NOTHING } from '../provider.ts';
import { readErrorMember, readMessagesRefusal } from './failure.ts';
import { NativeMessageStream } from './native-stream.ts';
import { readMessage } from './response.ts';

/** The version of the API that everything here is written for, and that calls of applications of other dialects are made by. */
export const ANTHROPIC_VERSION = '2023-06-01';

/** Answers that pass to an application of the same dialect as they are. */
export const messageAnswers: AnswerReader = {
  isStream: isEventStream,
  readAnswer: (bytes) => {
    const read = readMessage(bytes, true);
    return read === null ? null : { facts: read.facts, body: null, refusal: read.refusal };
  },
  createStreamReader: (_expected, sink) => new NativeMessageStream(sink),
  readRefusal: (status, headers, body) => readMessagesRefusal(status, headers, body, true),
};
/** The same of counts. */
export const countAnswers: AnswerReader = { ...messageAnswers, isStream: () => false, readAnswer: readCount };

/** An application's own message: every byte but the model's name is its own, and its features of the API are those it asked for. */
export const nativeMessages: Operation<MessagesRequest> = ({ bytes, request, outputTokens }, { upstreamModel }, context) => {
  if (context.isSharedAccount) refuseKept(request);
  return {
    path: '/v1/messages',
    body: prepareChatBody(bytes, request, {
      model: upstreamModel,
      outputLimit: outputTokens === null ? null : { field: 'max_tokens', tokens: outputTokens },
      asksUsage: false,
    }),
    headers: versionHeaders(context.headers),
    answers: messageAnswers,
    notCarried: NOTHING,
  };
};

/** Anthropic charges nothing for it. */
export const nativeCountTokens: Operation<CountTokensRequest> = ({ bytes, request }, { upstreamModel }, context) => {
  if (context.isSharedAccount) refuseKept(request);
  return {
    path: '/v1/messages/count_tokens',
    body: withModel(bytes, upstreamModel),
    headers: versionHeaders(context.headers),
    answers: countAnswers,
    notCarried: NOTHING,
  };
};

/** A container holds what code wrote in it; a new one has no id. */
function refuseKept(request: MessagesRequest | CountTokensRequest): void {
  refuseKeptFiles(request.messages);
  const { container }: Fields = { ...request };
  if (typeof container === 'string' || (isFields(container) && typeof container.id === 'string')) throw keptRefusal('container');
}

export function isEventStream(contentType: string): boolean {
  return contentType.includes('text/event-stream');
}

function versionHeaders(application: IncomingHttpHeaders): readonly string[] {
  const version = application['anthropic-version'];
  const beta = application['anthropic-beta'];
  const headers = ['anthropic-version', typeof version === 'string' ? version : ANTHROPIC_VERSION];
  if (typeof beta === 'string') headers.push('anthropic-beta', beta);
  return headers;
}

function readCount(bytes: Buffer): AnswerReading | null {
  try {
    const answer: unknown = JSON.parse(bytes.toString('utf8'));
    if (!isFields(answer)) return null;
    if (answer.type === 'error') return { facts: NO_FACTS, body: null, refusal: readErrorMember(answer.error, true) };
    return typeof answer.input_tokens === 'number' ? { facts: NO_FACTS, body: null, refusal: null, billing: 'free' } : null;
  } catch {
    return null;
  }
}
