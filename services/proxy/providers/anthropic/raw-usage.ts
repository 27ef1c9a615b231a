import { jsonMembers, lastJsonMember } from '../../body/json-members.ts';

/** Longest raw usage the event keeps (schema/events/request-settled.v1.ts). */
const MAX_RAW_USAGE = 4_096;

/** The usage of a whole message to the byte, or null when there is none or it is larger than the event holds. */
export function rawUsageOf(message: Buffer): string | null {
  const member = lastJsonMember(message, 'usage');
  return member === null ? null : fitting(message.toString('utf8', member.start, member.end));
}

/** The usage of a stream, which is told in two events: both to the byte, by the name of their event. @param start its data, or null: it did not come. */
export function rawUsageOfStream(start: string | null, delta: string | null): string | null {
  const message = start === null ? undefined : jsonMembers(Buffer.from(start))?.findLast(({ key }) => key === 'message');
  const first = start === null || message === undefined ? null : rawUsageOf(Buffer.from(start).subarray(message.start, message.end));
  const last = delta === null ? null : rawUsageOf(Buffer.from(delta));
  const members = [first === null ? null : `"message_start":${first}`, last === null ? null : `"message_delta":${last}`];
  const told = members.filter((member) => member !== null);
  return told.length === 0 ? null : fitting(`{${told.join(',')}}`);
}

function fitting(text: string): string | null {
  return text.length > MAX_RAW_USAGE ? null : text;
}
