import type { Answer } from '../answer.ts';
import { errorEnvelope, failureInAStream } from '../failures.ts';
import { reportedCost } from '../reported-cost.ts';
import type { TokenCounts } from '../token-counts.ts';
import { toldCounts } from '../token-counts.ts';
import type { ChatEvent, ChatShape, UsageWish } from './chat-shape.ts';
import { callObject, completionId, event, spokenText } from './chat-shape.ts';
import type { Moment } from './moments.ts';
import { momentsOf } from './moments.ts';

/** Reasoning lies outside `completion_tokens`, but within the total. */
function usageOf(usage: TokenCounts) {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens - usage.reasoningTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: {
      text_tokens: usage.promptTokens - usage.audioInputTokens,
      audio_tokens: usage.audioInputTokens,
      image_tokens: 0,
      cached_tokens: usage.cachedTokens,
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      audio_tokens: usage.audioOutputTokens,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
    num_sources_used: 0,
    cost_in_usd_ticks: reportedCost(usage).totalTicks,
  };
}

function deltaOf(moment: Moment): object {
  switch (moment.kind) {
    case 'thought':
      return { reasoning_content: moment.text };
    case 'text':
      return { [moment.field]: moment.text };
    case 'whole-call':
      return { tool_calls: [{ ...callObject(moment.call), index: moment.position }] };
    default:
      return {};
  }
}

/** There is no opening chunk: the role comes with the first delta. `finish_reason` is absent, not null, until the end. */
function events(answer: Answer, wish: UsageWish): readonly ChatEvent[] {
  const base = { id: completionId(answer), object: 'chat.completion.chunk', created: answer.created, model: answer.model };
  const system_fingerprint = answer.systemFingerprint;
  const opened = new Set<number>();
  const events = momentsOf(answer, { wholeCalls: true, thoughts: true })
    .filter((moment) => moment.kind !== 'open')
    .map((moment) => {
      const role = opened.has(moment.choice) ? {} : { role: 'assistant' };
      opened.add(moment.choice);
      const finish = moment.kind === 'finish' && moment.reason !== null ? { finish_reason: moment.reason } : {};
      const choices = [{ index: moment.choice, delta: { ...deltaOf(moment), ...role }, ...finish }];
      return event({ ...base, choices, system_fingerprint }, moment.tokens);
    });
  const tells = (wish.asked && !wish.never) || wish.unasked;
  if (tells) events.push(event({ ...base, choices: [], usage: usageOf(answer.usage), system_fingerprint }, 0, true));
  return events;
}

/** xAI's chat: reasoning counted beside the completion, and a cost in ticks. */
export const xaiShape: ChatShape = {
  told: (usage) =>
    toldCounts(usage, ['promptTokens', 'cachedTokens', 'audioInputTokens', 'completionTokens', 'reasoningTokens', 'audioOutputTokens']),
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
          content: '',
          ...(choice.kind === 'calls' ? {} : spokenText(choice)),
          ...(answer.thoughts.length > 0 ? { reasoning_content: answer.thoughts.join('') } : {}),
          ...(choice.kind === 'calls' ? { tool_calls: choice.calls.map(callObject) } : {}),
          ...(choice.kind === 'refusal' ? {} : { refusal: null }),
        },
        ...(choice.finishReason === null ? {} : { finish_reason: choice.finishReason }),
      })),
      ...(withUsage ? { usage: usageOf(answer.usage) } : {}),
      system_fingerprint: answer.systemFingerprint,
    }),
  events,
  endsWithDone: true,
  comment: 'simulated keep-alive',
  failure: () => [[`data: ${errorEnvelope(failureInAStream)}`]],
};
