import type { ProviderDialect } from '../../conversation/dialect.ts';
import { readMessagesRefusal } from './failure.ts';
import { ANTHROPIC_VERSION, isEventStream } from './native.ts';
import { writeMessagesRequest } from './request.ts';
import { readMessage } from './response.ts';
import { MessageStreamReader } from './stream.ts';

/** Anthropic's dialect, for applications that speak another. */
export const anthropicDialect: ProviderDialect = {
  writeRequest: (conversation, target, notCarried) => ({
    path: '/v1/messages',
    body: writeMessagesRequest(conversation, target, [`"model":${JSON.stringify(target.upstreamModel)}`], notCarried),
    headers: ['anthropic-version', ANTHROPIC_VERSION],
  }),
  isStream: isEventStream,
  readAnswer: (bytes) => readMessage(bytes, false),
  createStreamReader: (sink) => new MessageStreamReader(sink),
  readRefusal: (status, headers, body) => readMessagesRefusal(status, headers, body, false),
};
