import { parseExactJson } from '../../body/exact-json.ts';
import { isFields } from '../../body/json-fields.ts';
import type { AnswerEvent } from '../../conversation/answer-event.ts';
import type { ReadAnswer } from '../../conversation/dialect.ts';
import { GeminiAnswerReader } from './answer-reader.ts';
import { failedAnswer, readGoogleError } from './failure.ts';

/** A whole answer; `isError` tells an error that came under status 200 from a candidate that says that it failed. */
export interface GeminiAnswer extends ReadAnswer {
  readonly isError: boolean;
}

/** Reads a whole answer: one object, or the list of them that a stream without `alt=sse` is. Null when the bytes are neither. */
export function readGeminiAnswer(bytes: Buffer): GeminiAnswer | null {
  const text = bytes.toString('utf8');
  let chunks: readonly unknown[];
  let exact: readonly unknown[];
  try {
    chunks = listOf(JSON.parse(text));
    exact = text.includes('"args"') ? listOf(parseExactJson(text)) : chunks;
  } catch {
    return null;
  }
  const events: AnswerEvent[] = [];
  const notCarried: string[] = [];
  const reader = new GeminiAnswerReader(
    (event) => events.push(event),
    (part) => notCarried.push(part),
  );
  for (const [position, chunk] of chunks.entries()) {
    if (!isFields(chunk)) return null;
    if (isFields(chunk.error)) return { facts: reader.facts(), refusal: readGoogleError(chunk.error), events, isError: true };
    reader.read(chunk, exact[position], text);
  }
  if (chunks.length === 0) return null;
  const failure = reader.failure();
  reader.end();
  return { facts: reader.facts(), refusal: failure === null ? null : failedAnswer(failure), events, notCarried, isError: false };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
