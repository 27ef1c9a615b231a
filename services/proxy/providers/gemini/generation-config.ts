import type { Conversation, ReasoningWish } from '../../conversation/conversation.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import type { GeminiModel } from './gemini-model.ts';

/** Most sequences that Google takes. */
const MAX_STOP_SEQUENCES = 5;
const MAX_SEED = 2 ** 31 - 1;
/** Tokens of thinking for a wish in words, as Google's own endpoint in OpenAI's dialect has them. */
const BUDGET_OF_EFFORT: ReadonlyMap<string, number> = new Map([
  ['none', 0],
  ['minimal', 1_024],
  ['low', 1_024],
  ['medium', 8_192],
  ['high', 24_576],
  ['xhigh', 24_576],
]);
/** The least that models think which cannot be asked not to. */
const LEAST_PRO_BUDGET = 128;
const LEVELS: ReadonlyMap<string, string> = new Map([
  ['none', 'minimal'],
  ['minimal', 'minimal'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['xhigh', 'high'],
]);

/** `generationConfig` of a call; undefined members are left out when it is printed. What is not known to Google is told to `notCarried`. */
export function generationConfig(
  conversation: Conversation,
  model: GeminiModel,
  notCarried: NotCarried,
): Readonly<Record<string, unknown>> {
  const { stopSequences, choices, logprobs, seed, outputFormat } = conversation;
  if (stopSequences.length > MAX_STOP_SEQUENCES) notCarried('stop');
  const seeded = seed === null || Math.abs(seed) <= MAX_SEED;
  if (!seeded) notCarried('seed');
  return {
    maxOutputTokens: conversation.maxOutputTokens ?? undefined,
    temperature: conversation.temperature ?? undefined,
    topP: conversation.topP ?? undefined,
    topK: conversation.topK ?? undefined,
    frequencyPenalty: conversation.frequencyPenalty ?? undefined,
    presencePenalty: conversation.presencePenalty ?? undefined,
    seed: seeded ? (seed ?? undefined) : undefined,
    stopSequences: stopSequences.length === 0 ? undefined : stopSequences.slice(0, MAX_STOP_SEQUENCES),
    candidateCount: choices > 1 ? choices : undefined,
    responseLogprobs: logprobs === null ? undefined : true,
    logprobs: logprobs === null || logprobs === 0 ? undefined : logprobs,
    responseMimeType: outputFormat.kind === 'text' ? undefined : 'application/json',
    responseJsonSchema: outputFormat.kind === 'json_schema' ? outputFormat.schema : undefined,
    thinkingConfig: conversation.reasoning === null ? undefined : thinkingConfig(conversation.reasoning, model, notCarried),
  };
}

/** Google takes words or tokens, by the generation of the model, and never both. */
function thinkingConfig(
  { effort, budgetTokens, visible }: ReasoningWish,
  model: GeminiModel,
  notCarried: NotCarried,
): Readonly<Record<string, unknown>> | undefined {
  const field = effort === null ? 'thinking.budget_tokens' : 'reasoning_effort';
  const wished = effort !== null || budgetTokens !== null;
  if (model.thinking === 'none') {
    if (wished && effort !== 'none') notCarried(field);
    return undefined;
  }
  const includeThoughts = visible === null ? {} : { includeThoughts: visible };
  if (!wished) return visible === null ? undefined : includeThoughts;
  if (model.thinking === 'level' && effort !== null) return { ...includeThoughts, thinkingLevel: levelOf(effort, model, notCarried) };
  const budget = budgetTokens ?? BUDGET_OF_EFFORT.get(effort ?? '');
  if (budget === undefined) {
    notCarried(field);
    return includeThoughts;
  }
  // A budget is about as much as an effort means, but for none at all.
  const isExact = budgetTokens !== null || effort === 'none';
  if (!isExact || (model.pro && budget < LEAST_PRO_BUDGET)) notCarried(field);
  return { ...includeThoughts, thinkingBudget: model.pro ? Math.max(budget, LEAST_PRO_BUDGET) : budget };
}

/** The nearest that the model knows: none can be asked not to think at all, a Pro model cannot be asked for less than `low`. */
function levelOf(effort: string, { pro }: GeminiModel, notCarried: NotCarried): string {
  const level = LEVELS.get(effort) ?? 'high';
  const known = pro && level === 'minimal' ? 'low' : level;
  if (effort !== known) notCarried('reasoning_effort');
  return known;
}
