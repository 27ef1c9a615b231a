import { isFields, textOf } from '../../body/json-fields.ts';
import type { AnswerEvent } from '../../conversation/answer-event.ts';
import type { ReadAnswer } from '../../conversation/dialect.ts';
import { rawUsageOf } from '../openai/response.ts';
import { NO_FACTS } from '../provider.ts';
import { AnswerText, callOf, failureOf, finishedBy, listOf, logprobOf } from './answer-parts.ts';
import { normalizeUsage } from './usage.ts';

/** A whole answer of v2 chat; null when the bytes are none. */
export function readAnswer(bytes: Buffer): ReadAnswer | null {
  let answer: unknown;
  try {
    answer = JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
  if (!isFields(answer) || !isFields(answer.message)) return null;
  const { message, finish_reason: finishReason } = answer;
  const { usage, flags } = normalizeUsage(answer.usage);
  const facts = { ...NO_FACTS, finishReason: textOf(finishReason), usage, rawUsage: rawUsageOf(bytes), usageFlags: flags };

  const events: AnswerEvent[] = [{ kind: 'started', id: textOf(answer.id), model: null, usage: null }];
  const text = new AnswerText();
  const plan = textOf(message.tool_plan);
  if (plan !== null) events.push(text.say(plan));
  for (const [index, part] of listOf(message.content).entries()) {
    const thinking = textOf(part.thinking);
    if (thinking !== null) events.push({ kind: 'thinking', choice: 0, text: thinking });
    if (typeof part.text !== 'string') continue;
    text.begin(index);
    events.push(text.say(part.text));
  }
  for (const citation of listOf(message.citations)) events.push(...text.citations(citation));
  const logprobs = listOf(answer.logprobs).flatMap(logprobOf);
  if (logprobs.length > 0) events.push({ kind: 'logprobs', choice: 0, tokens: logprobs });
  for (const [index, call] of listOf(message.tool_calls).entries()) {
    const { name, input } = callOf(call);
    events.push({ kind: 'tool_call', choice: 0, call: index, callId: textOf(call.id) ?? `call_${index}`, name, signature: null });
    if (input !== '') events.push({ kind: 'tool_input', choice: 0, call: index, json: input });
  }
  if (usage !== null) events.push({ kind: 'usage', usage });
  events.push(finishedBy(finishReason));
  return { facts, refusal: failureOf(finishReason, answer.error), events };
}
