import type { ProviderDialect } from '../../../conversation/dialect.ts';
import type { CompiledModel } from '../../../snapshot/compiled-model.ts';
import { NOTHING } from '../../provider.ts';
import { readRefusal } from '../failure.ts';
import type { Reading } from '../reading.ts';
import type { ChatHabits } from './chat-habits.ts';
import { readAnswerEvents } from './read-answer.ts';
import { ChatEventReader } from './read-stream.ts';
import { writeChatRequest } from './write-request.ts';

/** Chat completions as a provider speaks them, for applications that speak another dialect. @param path of the endpoint for a target. */
export function chatProviderDialect(path: (target: CompiledModel) => string, habits: ChatHabits, reading: Reading): ProviderDialect {
  return {
    writeRequest: (conversation, target, notCarried) => ({
      path: path(target),
      body: writeChatRequest(conversation, target, habits, notCarried),
      headers: NOTHING,
    }),
    isStream: (contentType) => contentType.includes('text/event-stream'),
    readAnswer: (bytes) => readAnswerEvents(bytes, reading),
    createStreamReader: (sink) => new ChatEventReader(sink, reading),
    readRefusal: (status, headers, body) => readRefusal(status, headers, body, reading.meaningOf),
  };
}
