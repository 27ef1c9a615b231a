import { isFields, parseFields, textOf } from '../../../body/json-fields.ts';
import type { AnswerReading } from '../../provider.ts';
import { NO_FACTS } from '../../provider.ts';
import { readErrorMember } from '../failure.ts';
import { outerMembers } from '../outer-members.ts';
import type { Reading } from '../reading.ts';
import { rawUsageOf } from '../response.ts';
import { NO_UNITS, readMediaUsage } from './media-usage.ts';

const OPEN_BRACE = 0x7b;

/** What an answer of pictures says; where it tells no tokens, they are counted. Null when the bytes are no JSON object. */
export function readImages(bytes: Buffer, reading: Reading): AnswerReading | null {
  const answer = outerMembers(bytes, 'data');
  if (answer === null) return null;
  if (answer.data === undefined && isFields(answer.error)) return failed(answer.error, bytes, reading);
  const told = isFields(answer.usage) ? { ...readMediaUsage(answer.usage, reading), rawUsage: rawUsageOf(bytes) } : NO_FACTS;
  const facts = { ...told, modelAnswered: textOf(answer.model) };
  if (told.usage !== null) return { facts, body: null, refusal: null };
  // Billed by the piece: there is nothing else to tell it from.
  const data = parseFields(bytes)?.data;
  const units = Array.isArray(data) ? { ...NO_UNITS, images: data.length } : null;
  return { facts: { ...facts, units, usageFlags: [] }, body: null, refusal: null };
}

/** Sound, and a text of it that is no JSON, say nothing of themselves: what they used is not known. */
export function readSound(bytes: Buffer, reading: Reading): AnswerReading {
  const answer = bytes[0] === OPEN_BRACE ? parseFields(bytes) : null;
  if (answer === null) return { facts: NO_FACTS, body: null, refusal: null };
  if (isFields(answer.error)) return failed(answer.error, bytes, reading);
  const { usage, duration } = answer;
  if (isFields(usage)) return { facts: { ...readMediaUsage(usage, reading), rawUsage: rawUsageOf(bytes) }, body: null, refusal: null };
  // Whisper's longer form has the seconds at its top.
  const facts = duration === undefined ? NO_FACTS : readMediaUsage({ type: 'duration', seconds: duration }, reading);
  return { facts, body: null, refusal: null };
}

function failed(error: unknown, bytes: Buffer, { meaningOf }: Reading): AnswerReading {
  return { facts: NO_FACTS, body: null, refusal: readErrorMember(error, bytes, meaningOf) };
}
