import type { Answer } from '../answer.ts';
import { errorEnvelope, failureInAStream } from '../failures.ts';
import { fingerprint } from '../seeded-random.ts';
import type { TokenCounts } from '../token-counts.ts';
import { toldCounts } from '../token-counts.ts';
import type { ChatEvent, ChatShape, UsageWish } from './chat-shape.ts';
import { completionId, event, numberedCalls, spokenText } from './chat-shape.ts';
import type { Moment } from './moments.ts';
import { momentsOf } from './moments.ts';

function usageOf(usage: TokenCounts) {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    cached_tokens: usage.cachedTokens,
  };
}

/** The seed is put in once the JSON is text: a number beyond 2^53 would not survive being a JavaScript number. */
const withSeed = (answer: Answer, json: string): string => json.replaceAll('"seed":"later"', `"seed":${seedOf(answer)}`);

/** Odd and above 2^62, so that a reader that makes a double of it changes it. */
function seedOf(answer: Answer): string {
  return String((1n << 62n) + 2n * BigInt(fingerprint(Buffer.from(answer.stem))) + 1n);
}

function deltaOf(moment: Moment): object {
  const spoken = { token_id: null, role: 'assistant', content: '' };
  switch (moment.kind) {
    case 'text':
      return { ...spoken, token_id: moment.text.codePointAt(0) ?? null, [moment.field]: moment.text };
    case 'call':
      return {
        ...spoken,
        tool_calls: [{ index: moment.position, id: moment.call.id, type: 'function', function: { name: moment.call.name, arguments: '' } }],
      };
    case 'arguments':
      return { ...spoken, tool_calls: [{ index: moment.position, function: { arguments: moment.text } }] };
    case 'finish':
      return { ...spoken, token_id: 128_009 };
    default:
      return spoken;
  }
}

/** Text has no opening chunk, and null where calls leave a field out. The last piece of a call tells the finish reason already, and the chunk after it tells it again. */
function events(answer: Answer, wish: UsageWish): readonly ChatEvent[] {
  const events: ChatEvent[] = [];
  for (const moment of momentsOf(answer, { wholeCalls: false, thoughts: false })) {
    if (moment.kind === 'open' && moment.of !== 'calls') continue;
    const { calls, finishReason } = answer.choices[moment.choice] ?? { calls: [], finishReason: null };
    const early = moment.kind === 'arguments' && moment.last && moment.position === calls.length - 1;
    const finishes = moment.kind === 'finish';
    const tells = finishes && moment.last && !wish.never;
    const chunk = {
      id: completionId(answer),
      object: 'chat.completion.chunk',
      created: answer.created,
      choices: [
        {
          index: moment.choice,
          text: moment.kind === 'text' ? moment.text : '',
          logprobs: null,
          finish_reason: early || finishes ? finishReason : null,
          ...(finishes ? { seed: 'later' } : calls.length > 0 ? {} : { seed: null }),
          delta: deltaOf(moment),
        },
      ],
      model: answer.model,
      ...(tells ? { usage: usageOf(answer.usage) } : calls.length > 0 ? {} : { usage: null }),
    };
    const { json, tokens, tellsUsage } = event(chunk, moment.tokens, tells);
    events.push({ json: finishes ? withSeed(answer, json) : json, tokens, tellsUsage });
  }
  return events;
}

/** Together: `cached_tokens` directly in the usage, which comes unasked; `text` beside `delta`; a seed above 2^53. */
export const togetherShape: ChatShape = {
  told: (usage) => toldCounts(usage, ['promptTokens', 'cachedTokens', 'completionTokens']),
  body: (answer, withUsage) =>
    withSeed(
      answer,
      JSON.stringify({
        id: completionId(answer),
        object: 'chat.completion',
        created: answer.created,
        model: answer.model,
        prompt: [],
        choices: answer.choices.map((choice, index) => ({
          finish_reason: choice.finishReason,
          seed: 'later',
          index,
          logprobs: null,
          message: { role: 'assistant', ...spokenText(choice), ...numberedCalls(choice) },
        })),
        ...(withUsage ? { usage: usageOf(answer.usage) } : {}),
      }),
    ),
  events,
  endsWithDone: true,
  comment: 'simulated keep-alive',
  failure: () => [[`data: ${errorEnvelope(failureInAStream)}`]],
};
