import { parseExactJson } from '../../body/exact-json.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { AnswerEvent } from '../../conversation/answer-event.ts';
import type { ReadAnswer } from '../../conversation/dialect.ts';
import { rawUsageOf } from '../openai/response.ts';
import type { AnswerFacts } from '../provider.ts';
import { NO_FACTS } from '../provider.ts';
import { AnswerContent, finishedBy } from './answer-content.ts';
import { failureOf } from './failure.ts';
import { normalizeUsage } from './usage.ts';

/** A whole answer of Converse; null when the bytes are none. */
export function readAnswer(bytes: Buffer): ReadAnswer | null {
  let answer: unknown;
  try {
    answer = parseExactJson(bytes.toString('utf8'));
  } catch {
    return null;
  }
  if (!isFields(answer) || !isFields(answer.output) || !isFields(answer.output.message)) return null;
  const { content: blocks } = answer.output.message;
  const events: AnswerEvent[] = [{ kind: 'started', id: null, model: null, usage: null }];
  const content = new AnswerContent((event) => events.push(event));
  for (const block of Array.isArray(blocks) ? blocks : []) if (isFields(block)) content.whole(block);
  const facts = factsOf(answer, bytes, textOf(answer.stopReason));
  events.push(...closingEvents(facts), finishedBy(answer.stopReason));
  return { facts, refusal: failureOf(answer.stopReason), events };
}

/** What the end of an answer says: the whole of it, or the last event of a stream. */
export function factsOf(end: Fields, bytes: Buffer, finishReason: string | null): AnswerFacts {
  const { usage, flags } = normalizeUsage(end.usage);
  const serviceTier = isFields(end.serviceTier) ? textOf(end.serviceTier.type) : null;
  return { ...NO_FACTS, finishReason, usage, rawUsage: usage === null ? null : rawUsageOf(bytes), usageFlags: flags, serviceTier };
}

/** What of these facts the application is told. */
export function closingEvents({ serviceTier, usage }: AnswerFacts): AnswerEvent[] {
  const events: AnswerEvent[] = [];
  if (serviceTier !== null) events.push({ kind: 'service_tier', tier: serviceTier });
  if (usage !== null) events.push({ kind: 'usage', usage });
  return events;
}
