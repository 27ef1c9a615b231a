import type { Answer } from '../answer.ts';
import { failureInAStream } from '../failures.ts';
import { reportedCost, usdOfTicks } from '../reported-cost.ts';
import type { TokenCounts } from '../token-counts.ts';
import { toldCounts } from '../token-counts.ts';
import type { ChatEvent, ChatShape, UsageWish } from './chat-shape.ts';
import { completionId, event, numberedCalls, spokenText } from './chat-shape.ts';
import type { Moment } from './moments.ts';
import { momentsOf } from './moments.ts';

function usageOf(usage: TokenCounts) {
  const cost = reportedCost(usage);
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    cost: usdOfTicks(cost.totalTicks),
    is_byok: false,
    prompt_tokens_details: {
      cached_tokens: usage.cachedTokens,
      cache_write_tokens: usage.cacheWriteTokens ?? 0,
      audio_tokens: usage.audioInputTokens,
      video_tokens: 0,
    },
    cost_details: {
      upstream_inference_cost: usdOfTicks(cost.totalTicks),
      upstream_inference_prompt_cost: usdOfTicks(cost.promptTicks),
      upstream_inference_completions_cost: usdOfTicks(cost.completionTicks),
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens, image_tokens: 0, audio_tokens: usage.audioOutputTokens },
  };
}

function deltaOf(moment: Moment): object {
  switch (moment.kind) {
    case 'thought':
      return {
        content: '',
        role: 'assistant',
        reasoning: moment.text,
        reasoning_details: [{ type: 'reasoning.text', text: moment.text, format: 'unknown', index: 0 }],
      };
    case 'text':
      return { content: '', role: 'assistant', [moment.field]: moment.text };
    case 'call':
      return {
        content: null,
        role: 'assistant',
        tool_calls: [{ index: moment.position, id: moment.call.id, type: 'function', function: { name: moment.call.name, arguments: '' } }],
      };
    case 'arguments':
      return { content: null, role: 'assistant', tool_calls: [{ index: moment.position, function: { arguments: moment.text } }] };
    default:
      return { content: '', role: 'assistant' };
  }
}

const baseOf = (answer: Answer) => ({
  id: completionId(answer),
  object: 'chat.completion.chunk',
  created: answer.created,
  model: answer.model,
  provider: 'Simulator',
});

/** A whole message sums its reasoning up. */
function summarized(thoughts: string) {
  if (thoughts === '') return { reasoning: null };
  return { reasoning: thoughts, reasoning_details: [{ type: 'reasoning.summary', summary: thoughts, format: 'unknown', index: 0 }] };
}

/** The finish reason comes twice: on a chunk of its own, and again on the one with the usage. */
function events(answer: Answer, wish: UsageWish): readonly ChatEvent[] {
  const base = baseOf(answer);
  const tells = (wish.asked && !wish.never) || wish.unasked;
  return momentsOf(answer, { wholeCalls: false, thoughts: true })
    .filter((moment) => moment.kind !== 'open')
    .flatMap((moment) => {
      const reason = moment.kind === 'finish' ? moment.reason : null;
      const choice = { index: moment.choice, delta: deltaOf(moment), finish_reason: reason, native_finish_reason: reason };
      if (moment.kind !== 'finish') return event({ ...base, choices: [choice] }, moment.tokens);
      const finishing = event({ ...base, choices: [{ ...choice, delta: { ...choice.delta, reasoning: null } }] });
      return moment.last && tells ? [finishing, event({ ...base, choices: [choice], usage: usageOf(answer.usage) }, 0, true)] : finishing;
    });
}

/** OpenRouter: a cost in USD with its parts, comments while one waits, `native_finish_reason`, failures as chunks with choices. */
export const openrouterShape: ChatShape = {
  told: (usage) => ({
    ...toldCounts(usage, ['promptTokens', 'cachedTokens', 'audioInputTokens', 'completionTokens', 'reasoningTokens', 'audioOutputTokens']),
    cacheWriteTokens: usage.cacheWriteTokens ?? 0,
  }),
  body: (answer, withUsage) =>
    JSON.stringify({
      ...baseOf(answer),
      object: 'chat.completion',
      system_fingerprint: null,
      service_tier: answer.serviceTier,
      choices: answer.choices.map((choice, index) => ({
        index,
        logprobs: null,
        finish_reason: choice.finishReason,
        native_finish_reason: choice.finishReason === null ? null : 'completed',
        message: {
          role: 'assistant',
          refusal: null,
          ...spokenText(choice),
          ...summarized(answer.thoughts.join('')),
          ...numberedCalls(choice),
        },
      })),
      ...(withUsage ? { usage: usageOf(answer.usage) } : {}),
    }),
  events,
  endsWithDone: true,
  comment: 'OPENROUTER PROCESSING',
  failure: (answer) => {
    const choice = { index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null, native_finish_reason: null };
    const chunk = { ...baseOf(answer), error: { code: 502, message: failureInAStream.message }, choices: [choice] };
    return [[`data: ${JSON.stringify(chunk)}`], ['data: [DONE]']];
  },
};
