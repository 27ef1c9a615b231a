import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { AnswerEvent, FinishReason, TokenLogprob } from '../../conversation/answer-event.ts';
import { readErrorMember } from '../openai/failure.ts';
import type { ProviderRefusal } from '../provider.ts';
import { meaningOf } from './failure.ts';

const REASONS: ReadonlyMap<unknown, FinishReason> = new Map<unknown, FinishReason>([
  ['COMPLETE', 'stop'],
  ['STOP_SEQUENCE', 'stop_sequence'],
  ['MAX_TOKENS', 'length'],
  ['TOOL_CALL', 'tool_calls'],
]);
const FAILURES: ReadonlySet<unknown> = new Set(['ERROR', 'TIMEOUT']);

/** How an answer ended; what nobody knows yet is an ordinary end. */
export function finishedBy(word: unknown): AnswerEvent {
  return { kind: 'finished', choice: 0, reason: REASONS.get(word) ?? 'stop', stopSequence: null };
}

/** Set where the end of an answer says that there is none. */
export function failureOf(word: unknown, error: unknown): ProviderRefusal | null {
  if (!FAILURES.has(word)) return null;
  return readErrorMember({ message: textOf(error) ?? 'The provider could not finish its answer.', code: word }, null, meaningOf);
}

/** The text of an answer, and where in it the parts begin that citations count from. What a model plans before it calls tools is text too. */
export class AnswerText {
  #length = 0;
  /** By the index of the part; the plan is none. */
  readonly #begins = new Map<unknown, number>();

  begin(index: unknown): void {
    this.#begins.set(index, this.#length);
  }

  say(text: string): AnswerEvent {
    this.#length += text.length;
    return { kind: 'text', choice: 0, text };
  }

  /** One for each source of a citation. Of thinking there are none. */
  citations(citation: Fields): AnswerEvent[] {
    const { type, content_index: index, start, end } = citation;
    const begin = type === 'PLAN' ? 0 : this.#begins.get(index);
    if (begin === undefined) return [];
    const sources = listOf(citation.sources);
    return (sources.length === 0 ? [{}] : sources).map(({ document, tool_output: output }: Fields) => {
      const source = isFields(document) ? document : isFields(output) ? output : {};
      const place = { start: placeOf(start, begin), end: placeOf(end, begin) };
      return { kind: 'citation', choice: 0, citation: { title: textOf(source.title), url: textOf(source.url), quoted: null, ...place } };
    });
  }
}

function placeOf(value: unknown, begin: number): number | null {
  return typeof value === 'number' ? begin + value : null;
}

/** A piece of text with the logarithms of its tokens; they are not told apart, so the piece has their sum. */
export function logprobOf({ text, logprobs }: Fields): TokenLogprob[] {
  const each = Array.isArray(logprobs) ? logprobs.filter((value) => typeof value === 'number') : [];
  if (typeof text !== 'string' || each.length === 0) return [];
  return [{ token: text, logprob: each.reduce((sum, value) => sum + value, 0), bytes: null, alternatives: [] }];
}

/** The call that a member describes; its arguments are a text, empty where none came yet. */
export function callOf(call: Fields): { readonly name: string; readonly input: string } {
  const { name, arguments: input } = isFields(call.function) ? call.function : {};
  return { name: textOf(name) ?? '', input: textOf(input) ?? '' };
}

/** The objects of a list; none where it is no list. */
export function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}
