import { isFields } from '../../../body/json-fields.ts';
import type { AnswerEvent } from '../../../conversation/answer-event.ts';
import type { ReadAnswer } from '../../../conversation/dialect.ts';
import type { Reading } from '../reading.ts';
import { readChatAnswer } from '../response.ts';
import { accountOf } from './account.ts';
import { CompletionReader } from './completion-reader.ts';

/** A whole chat completion as events; null when the bytes are none. */
export function readAnswerEvents(bytes: Buffer, reading: Reading): ReadAnswer | null {
  const answer = readChatAnswer(bytes, reading);
  if (answer === null) return null;
  const { facts, refusal } = answer;
  if (refusal !== null) return { facts, refusal, events: [] };
  const events: AnswerEvent[] = [];
  const completion: unknown = JSON.parse(bytes.toString('utf8'));
  const reader = new CompletionReader((event) => events.push(event));
  if (isFields(completion)) reader.take(completion, 'message');
  reader.finish();
  return events.length === 0 ? null : { facts, refusal, events: [...events, ...accountOf(facts)] };
}
