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

/** Efforts that the others know. */
const EFFORTS: ReadonlySet<string> = new Set(['low', 'medium', 'high']);
/** Where neither the application nor the catalog names a limit. */
const USUAL_OUTPUT_TOKENS = 4_096;

/** @param model its id, also behind the prefix of a region or inside of an ARN: it has the maker's name. */
export function ownFields(conversation: Conversation, model: string, maxOutputTokens: number | null, notCarried: NotCarried): OwnFields {
  if (model.includes('anthropic.')) return claudeFields(conversation, model, maxOutputTokens, notCarried);
  const { temperature, topP, topK } = conversation;
  const isNova = model.includes('amazon.nova');
  if (topK !== null && !isNova) notCarried('top_k');
  const additional = {
    ...(topK !== null && isNova ? { inferenceConfig: { topK } } : {}),
    ...reasoningFields(conversation, model, notCarried),
  };
  return {
    temperature,
    topP,
    maxOutputTokens: conversation.maxOutputTokens,
    additional: Object.keys(additional).length === 0 ? null : additional,
  };
}

function reasoningFields({ reasoning }: Conversation, model: string, notCarried: NotCarried): Fields {
  const effort = reasoning?.effort ?? null;
  if (reasoning === null || (effort === null && reasoning.budgetTokens === null)) return {};
  const known = effort !== null && EFFORTS.has(effort);
  if (known && model.includes('amazon.nova-2')) return { reasoningConfig: { type: 'enabled', maxReasoningEffort: effort } };
  if (known && model.includes('openai.gpt')) return { reasoning_effort: effort };
  // Those models do not think unasked.
  if (effort !== 'none' || model.includes('openai.gpt')) notCarried(effort === null ? 'thinking.budget_tokens' : 'reasoning_effort');
  return {};
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
