import type { Answer } from '../answer.ts';
import { errorEnvelope, failureInAStream } from '../failures.ts';
import type { TokenCounts } from '../token-counts.ts';
import { toldCounts, visibleTokensOf } from '../token-counts.ts';
import type { ChatEvent, ChatShape, UsageWish } from './chat-shape.ts';
import { callObject, completionId, event, spokenText } from './chat-shape.ts';
import type { Moment } from './moments.ts';
import { momentsOf } from './moments.ts';

/** Longest answer, in UTF-16 units, whose chunks repeat all that was said before: that grows with the square of it. */
const longestRepeated = 2_048;

/** A million tokens cost 1 USD either way, a request 0.005 USD; each part is rounded to 0.00001 USD by itself. */
const partUsd = (tokens: number): number => Math.round(tokens / 10) / 100_000;
const requestUsd = 0.005;

function costOf(usage: TokenCounts) {
  const input = partUsd(usage.promptTokens);
  const output = partUsd(usage.completionTokens);
  return {
    input_tokens_cost: input,
    output_tokens_cost: output,
    request_cost: requestUsd,
    total_cost: Math.round((input + output + requestUsd) * 100_000) / 100_000,
  };
}

const nothingYet = { input_tokens_cost: 0, output_tokens_cost: 0, total_cost: 0 };

const usageOf = (usage: TokenCounts, completionTokens: number, cost: object) => ({
  prompt_tokens: usage.promptTokens,
  completion_tokens: completionTokens,
  total_tokens: usage.promptTokens + completionTokens,
  search_context_size: 'low',
  cost,
});

const found = {
  citations: ['https://example.com/turnpikes'],
  search_results: [
    {
      title: 'Turnpikes',
      url: 'https://example.com/turnpikes',
      date: '2026-01-01',
      last_updated: '2026-06-01',
      snippet: 'A turnpike is a road that keeps its books.',
      source: 'web',
    },
  ],
};

function deltaOf(moment: Moment): object {
  switch (moment.kind) {
    case 'text':
      return { role: 'assistant', content: '', [moment.field]: moment.text };
    case 'whole-call':
      return { role: 'assistant', content: '', tool_calls: [{ ...callObject(moment.call), index: moment.position }] };
    default:
      return { role: 'assistant', content: '' };
  }
}

/** Usage stands on every chunk, counted up to it; the last chunk adds the cost, and `finish_reason` is absent before it. */
function events(answer: Answer, wish: UsageWish): readonly ChatEvent[] {
  const { usage } = answer;
  const hidden = usage.completionTokens - visibleTokensOf(usage);
  const repeats = answer.choices.every(({ pieces }) => pieces.join('').length <= longestRepeated);
  const said = answer.choices.map(() => '');
  let visible = 0;
  return momentsOf(answer, { wholeCalls: true, thoughts: false })
    .filter((moment) => moment.kind !== 'open')
    .map((moment) => {
      visible += moment.tokens;
      if (moment.kind === 'text') said[moment.choice] += moment.text;
      const finish = moment.kind === 'finish' ? moment : null;
      const last = finish?.last === true;
      const told = usageOf(usage, Math.min(usage.completionTokens, hidden + visible), last ? costOf(usage) : nothingYet);
      const chunk = {
        id: completionId(answer),
        model: answer.model,
        created: answer.created,
        ...(wish.never ? {} : { usage: told }),
        ...found,
        object: last ? 'chat.completion.done' : 'chat.completion.chunk',
        choices: [
          {
            index: moment.choice,
            ...(repeats ? { message: { role: 'assistant', content: said[moment.choice] } } : {}),
            delta: deltaOf(moment),
            ...(finish === null || finish.reason === null ? {} : { finish_reason: finish.reason }),
          },
        ],
      };
      return event(chunk, moment.tokens, last && !wish.never);
    });
}

/** Perplexity: cumulative usage on every chunk, a cost with a fee a request, search results beside the choices, no `[DONE]`. */
export const perplexityShape: ChatShape = {
  told: (usage) => toldCounts(usage, ['promptTokens', 'completionTokens']),
  body: (answer, withUsage) =>
    JSON.stringify({
      id: completionId(answer),
      model: answer.model,
      created: answer.created,
      ...(withUsage ? { usage: usageOf(answer.usage, answer.usage.completionTokens, costOf(answer.usage)) } : {}),
      ...found,
      object: 'chat.completion',
      choices: answer.choices.map((choice, index) => ({
        index,
        message: {
          ...spokenText(choice),
          role: 'assistant',
          ...(choice.kind === 'calls' ? { tool_calls: choice.calls.map(callObject) } : {}),
        },
        delta: { role: 'assistant', content: '' },
        ...(choice.finishReason === null ? {} : { finish_reason: choice.finishReason }),
      })),
    }),
  events,
  endsWithDone: false,
  comment: 'simulated keep-alive',
  failure: () => [[`data: ${errorEnvelope(failureInAStream)}`]],
};
