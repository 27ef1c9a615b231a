import type { Answer } from '../answer.ts';
import { errorEnvelope, failureInAStream } from '../failures.ts';
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
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
    ...(usage.reasoningTokens > 0 ? { completion_tokens_details: { reasoning_tokens: usage.reasoningTokens } } : {}),
    prompt_cache_hit_tokens: usage.cachedTokens,
    prompt_cache_miss_tokens: Math.max(0, usage.promptTokens - usage.cachedTokens),
  };
}

/** A model that reasons has both fields in every delta, one of them null. */
function deltaOf(moment: Moment, reasons: boolean): object {
  const spoken = reasons ? { reasoning_content: null } : {};
  switch (moment.kind) {
    case 'open':
      return reasons ? { role: 'assistant', content: null, reasoning_content: '' } : { role: 'assistant', content: '' };
    case 'thought':
      return { content: null, reasoning_content: moment.text };
    case 'text':
      return { [moment.field]: moment.text, ...spoken };
    case 'call':
      return {
        tool_calls: [{ index: moment.position, id: moment.call.id, type: 'function', function: { name: moment.call.name, arguments: '' } }],
      };
    case 'arguments':
      return { tool_calls: [{ index: moment.position, function: { arguments: moment.text } }] };
    default:
      return { content: '', ...spoken };
  }
}

function events(answer: Answer, wish: UsageWish): readonly ChatEvent[] {
  const asked = wish.asked && !wish.never;
  const tellable = asked || wish.unasked;
  const reasons = answer.thoughts.length > 0;
  return momentsOf(answer, { wholeCalls: false, thoughts: true }).map((moment) => {
    const finish = moment.kind === 'finish' ? moment : null;
    const tells = finish?.last === true && tellable;
    const chunk = {
      id: completionId(answer),
      object: 'chat.completion.chunk',
      created: answer.created,
      model: answer.model,
      system_fingerprint: answer.systemFingerprint,
      choices: [{ index: moment.choice, delta: deltaOf(moment, reasons), logprobs: null, finish_reason: finish?.reason ?? null }],
      ...(tells ? { usage: usageOf(answer.usage) } : asked ? { usage: null } : {}),
    };
    return event(chunk, moment.tokens, tells);
  });
}

/** DeepSeek: usage together with choices on the last chunk, the cache told as hits and misses too. */
export const deepseekShape: ChatShape = {
  told: (usage) =>
    toldCounts(usage, [
      'promptTokens',
      'cachedTokens',
      'completionTokens',
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
          ...(choice.kind === 'calls' ? { content: '' } : spokenText(choice)),
          ...(answer.thoughts.length > 0 ? { reasoning_content: answer.thoughts.join('') } : {}),
          ...numberedCalls(choice),
        },
        logprobs: null,
        finish_reason: choice.finishReason,
      })),
      ...(withUsage ? { usage: usageOf(answer.usage) } : {}),
      system_fingerprint: answer.systemFingerprint,
    }),
  events,
  endsWithDone: true,
  comment: 'keep-alive',
  failure: () => [[`data: ${errorEnvelope(failureInAStream)}`]],
};
