import { Type } from 'typebox';
import { Value } from 'typebox/value';

const Chunk = Type.Record(Type.String(), Type.Unknown());

/** One event with data in it. */
type StreamEvent = { readonly name: string | null; readonly value: Record<string, unknown> };

/** A stream taken apart. */
export function eventsIn(text: string) {
  const events: StreamEvent[] = [];
  const comments: string[] = [];
  let done = false;
  for (const block of text.split(/\r?\n\r?\n/)) {
    const lines = block.split(/\r?\n/);
    comments.push(...lines.filter((line) => line.startsWith(':')));
    const data = lines
      .find((line) => line.startsWith('data:'))
      ?.slice('data:'.length)
      .trim();
    if (data === '[DONE]') done = true;
    else if (data !== undefined) {
      const name =
        lines
          .find((line) => line.startsWith('event:'))
          ?.slice('event:'.length)
          .trim() ?? null;
      events.push({ name, value: Value.Parse(Chunk, JSON.parse(data)) });
    }
  }
  return { events, comments, done, crlf: /\r\n\r\n/.test(text) };
}

function collect(value: unknown, path: string, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, `${path}[]`, into);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) collect(member, path === '' ? name : `${path}.${name}`, into);
  } else {
    into.add(`${path}:${value === null ? 'null' : typeof value}`);
  }
}

/** Every field of a value with its type, such as `choices[].index:number`, in order of name. */
export const fieldsOf = (value: unknown): readonly string[] => joinedFields([value]);

/** The fields of all values together. */
export function joinedFields(values: readonly unknown[]): readonly string[] {
  const fields = new Set<string>();
  for (const value of values) collect(value, '', fields);
  return [...fields].sort();
}
