import type { Fields } from '../../body/json-fields.ts';
import type { Conversation } from '../../conversation/conversation.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import { claudeModel } from '../anthropic/claude-model.ts';
import { writeThinking } from '../anthropic/thinking.ts';

/** What the makers of the models name in ways of their own, which Converse passes on to them; and what of the rest they take. */
export interface OwnFields {
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly maxOutputTokens: number | null;
  readonly additional: Fields | null;
}

/** Efforts that others than Claude know, and what is nearest to the rest. */
const EFFORTS: ReadonlyMap<string, string> = new Map([
  ['minimal', 'low'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['xhigh', 'high'],
]);
/** Where neither the application nor the catalog names a limit. */
const USUAL_OUTPUT_TOKENS = 4_096;

/** @param model its id, also behind the prefix of a region or inside of an ARN: it has the maker's name. */
export function ownFields(conversation: Conversation, model: string, maxOutputTokens: number | null, notCarried: NotCarried): OwnFields {
  if (model.includes('anthropic.')) return claudeFields(conversation, model, maxOutputTokens, notCarried);
  if (model.includes('amazon.nova')) return novaFields(conversation, model, notCarried);
  const { temperature, topP, topK, maxOutputTokens: limit, reasoning } = conversation;
  if (topK !== null) notCarried('top_k');
  const effort = effortFor(reasoning, model.includes('openai.gpt') ? 'always' : 'never', notCarried);
  return { temperature, topP, maxOutputTokens: limit, additional: effort === null ? null : { reasoning_effort: effort } };
}

/**
 * Nova 2 thinks when it is told how much; thinking most of all it takes neither a limit of its answer nor sampling. What is limited is held to that, and
 * thinks less.
 */
function novaFields(conversation: Conversation, model: string, notCarried: NotCarried): OwnFields {
  const { temperature, topP, topK, maxOutputTokens, reasoning } = conversation;
  // What it thinks is not shown.
  if (reasoning?.visible === true) notCarried('reasoning.summary');
  const wished = effortFor(reasoning, model.includes('amazon.nova-2') ? 'when_told' : 'never', notCarried);
  const isHigh = wished === 'high';
  const isUnbound = isHigh && maxOutputTokens === null;
  if (isHigh && !isUnbound) notCarried('reasoning_effort');
  const effort = isHigh && !isUnbound ? 'medium' : wished;
  if (isUnbound && temperature !== null) notCarried('temperature');
  if (isUnbound && topP !== null) notCarried('top_p');
  if (isUnbound && topK !== null) notCarried('top_k');
  const additional = {
    ...(topK === null || isUnbound ? {} : { inferenceConfig: { topK } }),
    ...(effort === null ? {} : { reasoningConfig: { type: 'enabled', maxReasoningEffort: effort } }),
  };
  return {
    temperature: isUnbound ? null : temperature,
    topP: isUnbound ? null : topP,
    maxOutputTokens,
    additional: Object.keys(additional).length === 0 ? null : additional,
  };
}

/** The effort that a model other than Claude is told; null: none. @param thinks whether it thinks at all, and whether it can be asked not to. */
function effortFor(reasoning: Conversation['reasoning'], thinks: 'never' | 'when_told' | 'always', notCarried: NotCarried): string | null {
  if (reasoning === null) return null;
  const { effort, budgetTokens } = reasoning;
  if (effort === null) {
    if (budgetTokens !== null) notCarried('thinking.budget_tokens');
    return null;
  }
  const known = thinks === 'never' ? null : (EFFORTS.get(effort) ?? null);
  if (known !== effort && (effort !== 'none' || thinks === 'always')) notCarried('reasoning_effort');
  return known;
}

/** Claude by Converse takes what it takes from Anthropic. */
function claudeFields(conversation: Conversation, name: string, modelMaximum: number | null, notCarried: NotCarried): OwnFields {
  const model = claudeModel(name);
  const { temperature, topP, topK, maxOutputTokens } = conversation;
  const maxTokens = maxOutputTokens ?? modelMaximum ?? USUAL_OUTPUT_TOKENS;
  const { thinking, effort, on } = writeThinking(conversation, model, maxTokens, notCarried);
  const takesSampling = model.sampling && !on;
  if (temperature !== null && ((!takesSampling && temperature !== 1) || temperature > 1)) notCarried('temperature');
  const takesTopP = takesSampling && temperature === null;
  if (topP !== null && topP !== 1 && !takesTopP) notCarried('top_p');
  if (topK !== null && !takesSampling) notCarried('top_k');
  const additional = {
    ...(thinking === null ? {} : { thinking: JSON.parse(thinking) }),
    ...(effort === null ? {} : { output_config: { effort } }),
    ...(topK !== null && takesSampling ? { top_k: topK } : {}),
  };
  return {
    temperature: temperature !== null && takesSampling ? Math.min(temperature, 1) : null,
    topP: topP !== null && topP !== 1 && takesTopP ? topP : null,
    // A budget of thinking is a part of it: then it has to be said.
    maxOutputTokens: on ? maxTokens : maxOutputTokens,
    additional: Object.keys(additional).length === 0 ? null : additional,
  };
}
