import type { MessagesRequest } from '../../../../schema/http/messages.ts';
import type { ApplicationDialect } from '../../conversation/dialect.ts';
import { readRequest } from './read-request.ts';
import { writeAnswer } from './write-answer.ts';
import { MessageStreamWriter } from './write-stream.ts';

/** Anthropic's Messages, as applications speak it. */
export const messagesDialect: ApplicationDialect<MessagesRequest> = {
  readRequest,
  writeAnswer,
  createStreamWriter: (stamp, _request, notCarried) => new MessageStreamWriter(stamp, notCarried),
};
