import type { Answer } from '../answer.ts';
import { errorEnvelope, failureInAStream } from '../failures.ts';
import type { TokenCounts } from '../token-counts.ts';
import { toldCounts } from '../token-counts.ts';
import type { ChatEvent, ChatShape, UsageWish } from './chat-shape.ts';
import { callObject, completionId, event, numberedCalls, spokenText } from './chat-shape.ts';
import type { Moment } from './moments.ts';
import { momentsOf } from './moments.ts';

type UsageOf = (usage: TokenCounts) => object;

function deltaOf(moment: Moment): object {
  switch (moment.kind) {
    case 'open':
      return { role: 'assistant', content: '' };
    case 'text':
      return { [moment.field]: moment.text };
    case 'whole-call':
      return { tool_calls: [{ ...callObject(moment.call), index: moment.position }] };
    default:
      return {};
  }
}

/** A choice finishes on the chunk that holds the last of it: there is no chunk for the finish alone. */
function events(answer: Answer, wish: UsageWish, usageOf: UsageOf): readonly ChatEvent[] {
  const chunks: { choice: number; delta: object; tokens: number; finish: string | null; tells: boolean }[] = [];
  for (const moment of momentsOf(answer, { wholeCalls: true, thoughts: false })) {
    const closing = moment.kind === 'finish' ? chunks.findLast(({ choice }) => choice === moment.choice) : undefined;
    if (moment.kind === 'finish' && closing !== undefined) closing.finish = moment.reason;
    else chunks.push({ choice: moment.choice, delta: deltaOf(moment), tokens: moment.tokens, finish: null, tells: false });
  }
  const last = chunks.at(-1);
  if (last !== undefined) last.tells = !wish.never;
  return chunks.map(({ choice, delta, tokens, finish, tells }) => {
    const chunk = {
      id: completionId(answer),
      object: 'chat.completion.chunk',
      created: answer.created,
      model: answer.model,
      choices: [{ index: choice, delta, finish_reason: finish }],
      ...(tells ? { usage: usageOf(answer.usage) } : {}),
      ...(tokens === 0 ? {} : { p: 'abcdefghijklmnopqrstuvwxyz0123456789'.slice(0, 4 + (tokens + choice) * 7) }),
    };
    return event(chunk, tokens, tells);
  });
}

const totals = (usage: TokenCounts) => ({
  prompt_tokens: usage.promptTokens,
  total_tokens: usage.promptTokens + usage.completionTokens,
  completion_tokens: usage.completionTokens,
});

const createShape = (usageOf: UsageOf, noCalls: object): ChatShape => ({
  told: (usage) => toldCounts(usage, ['promptTokens', 'cachedTokens', 'completionTokens']),
  body: (answer, withUsage) =>
    JSON.stringify({
      id: completionId(answer),
      created: answer.created,
      model: answer.model,
      ...(withUsage ? { usage: usageOf(answer.usage) } : {}),
      object: 'chat.completion',
      choices: answer.choices.map((choice, index) => ({
        index,
        finish_reason: choice.finishReason,
        message:
          choice.kind === 'calls'
            ? { role: 'assistant', ...numberedCalls(choice), content: '' }
            : { role: 'assistant', ...noCalls, ...spokenText(choice) },
      })),
    }),
  events: (answer, wish) => events(answer, wish, usageOf),
  endsWithDone: true,
  comment: 'simulated keep-alive',
  failure: () => [[`data: ${errorEnvelope(failureInAStream)}`]],
});

/** Mistral as some of its models answer: `num_cached_tokens` beside the totals, `tool_calls` null where there are none. */
export const mistralShape = createShape((usage) => ({ ...totals(usage), num_cached_tokens: usage.cachedTokens }), { tool_calls: null });

/** Mistral as most answer: details, and the tier within the usage. */
export const mistralDetailsShape = createShape(
  (usage) => ({ ...totals(usage), prompt_tokens_details: { cached_tokens: usage.cachedTokens }, service_tier: 'standard' }),
  {},
);
