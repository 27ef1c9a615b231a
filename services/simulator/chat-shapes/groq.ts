import type { Answer } from '../answer.ts';
import { failureInAStream } from '../failures.ts';
import type { TokenCounts } from '../token-counts.ts';
import { toldCounts } from '../token-counts.ts';
import type { ChatEvent, ChatShape, UsageWish } from './chat-shape.ts';
import { callObject, completionId, event, spokenText } from './chat-shape.ts';
import type { Moment } from './moments.ts';
import { momentsOf } from './moments.ts';

/** Details are left out where there is nothing to tell. Times follow from the tokens, so that equal requests get equal bytes. */
function usageOf(usage: TokenCounts) {
  const promptTime = usage.promptTokens / 20_000;
  const completionTime = usage.completionTokens / 400;
  return {
    queue_time: 0.05,
    prompt_tokens: usage.promptTokens,
    prompt_time: promptTime,
    completion_tokens: usage.completionTokens,
    completion_time: completionTime,
    total_tokens: usage.promptTokens + usage.completionTokens,
    total_time: promptTime + completionTime,
    ...(usage.cachedTokens > 0 ? { prompt_tokens_details: { cached_tokens: usage.cachedTokens } } : {}),
    ...(usage.reasoningTokens > 0 ? { completion_tokens_details: { reasoning_tokens: usage.reasoningTokens } } : {}),
  };
}

const requestId = (answer: Answer): string => `req_${answer.stem.slice(0, 26).toLowerCase()}`;
const seed = 1_367_355_884;

function deltaOf(moment: Moment): object {
  switch (moment.kind) {
    case 'open':
      return { role: 'assistant', content: moment.of === 'calls' ? null : '' };
    case 'thought':
      return { reasoning: moment.text, channel: 'analysis' };
    case 'text':
      return { [moment.field]: moment.text };
    case 'whole-call':
      return { tool_calls: [{ ...callObject(moment.call), index: moment.position }] };
    default:
      return {};
  }
}

function events(answer: Answer, wish: UsageWish): readonly ChatEvent[] {
  const base = {
    id: completionId(answer),
    object: 'chat.completion.chunk',
    created: answer.created,
    model: answer.model,
    system_fingerprint: answer.systemFingerprint,
  };
  const usage = usageOf(answer.usage);
  const id = requestId(answer);
  const events = momentsOf(answer, { wholeCalls: true, thoughts: true }).map((moment, index) => {
    const reason = moment.kind === 'finish' ? moment.reason : null;
    const choices = [{ index: moment.choice, delta: deltaOf(moment), logprobs: null, finish_reason: reason }];
    if (index === 0) return event({ ...base, choices, x_groq: { id, seed } });
    const tells = moment.kind === 'finish' && moment.last && !wish.never;
    return event({ ...base, choices, ...(tells ? { x_groq: { id, usage }, usage } : {}) }, moment.tokens, tells);
  });
  if (wish.asked && !wish.never) events.push(event({ ...base, choices: [], usage, service_tier: 'on_demand' }, 0, true));
  return events;
}

/** Groq: usage twice on the last chunk with choices, unasked, and a third time in a chunk of its own when asked. */
export const groqShape: ChatShape = {
  told: (usage) =>
    toldCounts(usage, [
      'promptTokens',
      'completionTokens',
      ...(usage.cachedTokens > 0 ? (['cachedTokens'] as const) : []),
      ...(usage.reasoningTokens > 0 ? (['reasoningTokens'] as const) : []),
    ]),
  body: (answer, withUsage) =>
    JSON.stringify({
      id: completionId(answer),
      object: 'chat.completion',
      created: answer.created,
      model: answer.model,
      choices: answer.choices.map((choice, index) => ({
        index,
        message: {
          role: 'assistant',
          ...(choice.kind === 'calls' ? {} : spokenText(choice)),
          ...(answer.thoughts.length > 0 ? { reasoning: answer.thoughts.join('') } : {}),
          ...(choice.kind === 'calls' ? { tool_calls: choice.calls.map(callObject) } : {}),
        },
        logprobs: null,
        finish_reason: choice.finishReason,
      })),
      ...(withUsage ? { usage: usageOf(answer.usage) } : {}),
      usage_breakdown: null,
      system_fingerprint: answer.systemFingerprint,
      x_groq: { id: requestId(answer), seed },
      service_tier: 'on_demand',
    }),
  events,
  endsWithDone: true,
  comment: 'simulated keep-alive',
  failure: () => [
    [
      'event: error',
      `data: ${JSON.stringify({ error: { message: failureInAStream.message, type: failureInAStream.type, status_code: 500 } })}`,
    ],
  ],
};
