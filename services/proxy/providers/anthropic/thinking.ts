import type { Conversation } from '../../conversation/conversation.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import type { ClaudeModel } from './claude-model.ts';

/** What a request says about thinking, JSON; null: nothing. */
export interface WrittenThinking {
  readonly thinking: string | null;
  readonly effort: string | null;
  /** Whether the model is told to think, which binds other fields. */
  readonly on: boolean;
}

/** Fewer Anthropic refuses. */
const LEAST_BUDGET = 1_024;
/** For models that want tokens, not words. */
const BUDGET_OF_EFFORT: ReadonlyMap<string, number> = new Map([
  ['minimal', LEAST_BUDGET],
  ['low', 2_048],
  ['medium', 8_192],
  ['high', 16_384],
  ['xhigh', 32_768],
]);
const SILENT: WrittenThinking = { thinking: null, effort: null, on: false };

/**
 * How much thinking is asked of a model, in the words it knows. Thinking is part of the answer that `maxTokens` limits, so that a budget takes at most
 * half of it, unless the application named one.
 */
export function writeThinking(
  { reasoning, toolChoice, turns }: Conversation,
  model: ClaudeModel,
  maxTokens: number,
  notCarried: NotCarried,
): WrittenThinking {
  if (reasoning === null) return SILENT;
  const { effort, budgetTokens, visible } = reasoning;
  if (effort === 'none') {
    if (model.thinksUnasked === 'always') notCarried('reasoning_effort');
    return model.thinksUnasked === 'unless_disabled' ? { ...SILENT, thinking: '{"type":"disabled"}' } : SILENT;
  }
  // Who only says that none is to be seen has not asked for any.
  if (effort === null && budgetTokens === null && visible === false) return SILENT;
  const field = effort === null ? 'thinking' : 'reasoning_effort';
  // Who is made to call a tool cannot think before.
  if (model.thinking === 'none' || toolChoice?.kind === 'required' || toolChoice?.kind === 'tool') {
    notCarried(field);
    return SILENT;
  }
  const display = visible === null ? '' : `,"display":"${visible ? 'summarized' : 'omitted'}"`;
  if (model.thinking === 'adaptive' || (model.thinking === 'either' && budgetTokens === null)) {
    if (budgetTokens !== null) notCarried('thinking.budget_tokens');
    return { thinking: `{"type":"adaptive"${display}}`, effort: effort === null ? null : effortFor(effort, model, notCarried), on: true };
  }
  const budget = budgetTokens ?? Math.min(BUDGET_OF_EFFORT.get(effort ?? 'medium') ?? LEAST_BUDGET, Math.floor(maxTokens / 2));
  if (budget < LEAST_BUDGET || budget >= maxTokens || callsWithoutThinking(turns)) {
    notCarried(field);
    return SILENT;
  }
  // About as much as was meant.
  if (budgetTokens === null && effort !== null) notCarried(field);
  return { thinking: `{"type":"enabled","budget_tokens":${budget}${display}}`, effort: null, on: true };
}

/** The nearest effort that the model knows. */
function effortFor(effort: string, { xhighEffort }: ClaudeModel, notCarried: NotCarried): string {
  const known = effort === 'minimal' ? 'low' : effort === 'xhigh' && !xhighEffort ? 'high' : effort;
  if (known !== effort) notCarried('reasoning_effort');
  return known;
}

/**
 * Whether the last turn of the model called a tool and does not begin with its thinking, which applications of other dialects do not give back: a model
 * with a budget is refused then.
 */
function callsWithoutThinking(turns: Conversation['turns']): boolean {
  const last = turns.findLast(({ role }) => role === 'assistant');
  if (last?.role !== 'assistant' || !last.parts.some(({ kind }) => kind === 'tool_call')) return false;
  return !last.parts.some((part) => part.kind === 'redacted_thinking' || (part.kind === 'thinking' && part.signature !== null));
}
