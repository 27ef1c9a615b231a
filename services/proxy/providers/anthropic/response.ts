import { parseExactJson } from '../../body/exact-json.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields } from '../../body/json-fields.ts';
import type { AnswerEvent } from '../../conversation/answer-event.ts';
import type { ReadAnswer } from '../../conversation/dialect.ts';
import { readErrorMember } from './failure.ts';
import { MessageReader } from './message-reader.ts';
import { rawUsageOf } from './raw-usage.ts';

/** What a whole message says; null when the bytes are no message. @param sameDialect whether the application speaks Anthropic's dialect, too. */
export function readMessage(bytes: Buffer, sameDialect: boolean): ReadAnswer | null {
  const message = parseMessage(bytes);
  if (message === null) return null;
  const events: AnswerEvent[] = [];
  const notCarried: string[] = [];
  const reader = new MessageReader(
    (event) => events.push(event),
    (type) => notCarried.push(type),
  );
  if (message.type === 'error') return { facts: reader.facts(null), refusal: readErrorMember(message.error, sameDialect), events };
  if (!Array.isArray(message.content)) return null;
  reader.started(message);
  message.content.filter(isFields).forEach((block, index) => {
    reader.blockStarted(index, block, block.type === 'tool_use' ? JSON.stringify(block.input ?? {}) : null);
    reader.blockStopped();
  });
  reader.finished({ stop_reason: 'end_turn', ...message }, null);
  return { facts: reader.facts(rawUsageOf(bytes)), refusal: null, events, notCarried };
}

/** Arguments of tools keep the digits of their numbers; what else has any (usage) is read as it is. */
function parseMessage(bytes: Buffer): Fields | null {
  try {
    const text = bytes.toString('utf8');
    const value: unknown = text.includes('"tool_use"') ? parseExactJson(text) : JSON.parse(text);
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}
