import type { ChatCompletionRequest } from '../../../../schema/http/chat-completions.ts';
import type { ApplicationDialect } from '../../conversation/dialect.ts';
import { readRequest } from './read-request.ts';
import { writeAnswer } from './write-answer.ts';
import { ChatStreamWriter } from './write-stream.ts';

/** OpenAI's chat completions, as applications speak it. */
export const chatCompletionsDialect: ApplicationDialect<ChatCompletionRequest> = {
  readRequest,
  writeAnswer,
  createStreamWriter: (stamp, _request, notCarried) => new ChatStreamWriter(stamp, notCarried),
};
