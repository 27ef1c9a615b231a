import type { Conversation, ReasoningWish, Tool } from '../../../conversation/conversation.ts';
import type { NotCarried } from '../../../conversation/dialect.ts';
import type { CompiledModel } from '../../../snapshot/compiled-model.ts';
import { isOpenai, outputLimitField } from '../output-limit-field.ts';
import type { ChatHabits, ChatMember } from './chat-habits.ts';
import { takesMember } from './chat-habits.ts';
import { cacheControl, writeMessages } from './write-messages.ts';

/** A budget of thinking up to which that much effort is meant; providers that know no budget are told the effort. */
const EFFORTS: readonly (readonly [effort: string, upToTokens: number])[] = [
  ['low', 2_048],
  ['medium', 8_192],
];

/** A conversation as a body of chat completions, in the habits of its provider. */
export function writeChatRequest(conversation: Conversation, target: CompiledModel, habits: ChatHabits, notCarried: NotCarried): string {
  const { tools, toolChoice, outputFormat, logprobs, stream } = conversation;
  const body: Record<string, unknown> = { model: target.upstreamModel, messages: writeMessages(conversation.turns, habits, notCarried) };
  const put = (name: string, value: unknown): void => {
    if (value !== null) body[name] = value;
  };
  const putWhereTaken = (member: ChatMember, name: string, value: unknown): void => {
    if (value === null) return;
    if (takesMember(habits, member, target)) body[name] = value;
    else notCarried(name);
  };

  putWhereTaken('tools', 'tools', tools.length === 0 ? null : tools.map((tool) => writeTool(tool, habits, notCarried)));
  if (tools.length > 0) {
    const named = toolChoice?.kind === 'tool' ? { type: 'function', function: { name: toolChoice.name } } : toolChoice?.kind;
    putWhereTaken('tool_choice', 'tool_choice', named ?? null);
    putWhereTaken('parallel_tool_calls', 'parallel_tool_calls', conversation.parallelToolCalls);
  }
  put(outputLimitField(target.provider), conversation.maxOutputTokens);
  put('temperature', conversation.temperature);
  put('top_p', conversation.topP);
  putWhereTaken('top_k', 'top_k', conversation.topK);
  put('frequency_penalty', conversation.frequencyPenalty);
  put('presence_penalty', conversation.presencePenalty);
  putWhereTaken('seed', habits.seed ?? 'seed', conversation.seed);
  putWhereTaken('stop', 'stop', conversation.stopSequences.length === 0 ? null : conversation.stopSequences);
  putWhereTaken('n', 'n', conversation.choices === 1 ? null : conversation.choices);
  putWhereTaken('logprobs', 'logprobs', logprobs === null ? null : true);
  if (logprobs !== null && logprobs > 0) putWhereTaken('logprobs', 'top_logprobs', logprobs);
  if (conversation.reasoning !== null) Object.assign(body, writeReasoning(conversation.reasoning, habits, target, notCarried));
  if (outputFormat.kind === 'json_schema') {
    const { name, schema, strict } = outputFormat;
    const described = { type: 'json_schema', json_schema: { name, schema, ...(strict === null ? {} : { strict }) } };
    if (takesMember(habits, 'json_schema', target)) put('response_format', described);
    else notCarried('response_format.json_schema');
  }
  // Where a schema has no place, JSON is the next best.
  if (outputFormat.kind !== 'text' && body.response_format === undefined) put('response_format', { type: 'json_object' });
  putWhereTaken('service_tier', 'service_tier', conversation.serviceTier);
  putWhereTaken('user', 'user', conversation.endUser);
  if (stream) {
    put('stream', true);
    if (habits.asksUsage !== false) put('stream_options', { include_usage: true });
  }
  return JSON.stringify(body);
}

function writeTool(
  { name, description, parameters, strict, cache }: Tool,
  { cacheMarks = false }: ChatHabits,
  notCarried: NotCarried,
): object {
  const declared = {
    name,
    ...(description === null ? {} : { description }),
    // Some want them also where there are none.
    parameters: parameters ?? { type: 'object', properties: {} },
    ...(strict === null ? {} : { strict }),
  };
  return { type: 'function', function: declared, ...cacheControl(cache, cacheMarks, notCarried) };
}

/** An effort is said in place of a budget, which only OpenRouter knows: about as much is thought, not that much. */
function writeReasoning(
  { effort, budgetTokens, visible }: ReasoningWish,
  { reasoning }: ChatHabits,
  { provider }: CompiledModel,
  notCarried: NotCarried,
): object {
  // OpenAI shows none of it in this dialect; whoever else thinks shows it unasked.
  if (visible === true && isOpenai(provider)) notCarried('reasoning.summary');
  if (budgetTokens !== null && (reasoning !== 'reasoning' || effort !== null)) notCarried('thinking.budget_tokens');
  const meant = effort ?? (budgetTokens === null ? null : effortOf(budgetTokens));
  if (reasoning === 'reasoning') {
    const amount = budgetTokens === null || effort !== null ? {} : { max_tokens: budgetTokens };
    return { reasoning: { ...(effort === null ? {} : { effort }), ...amount, ...(visible === false ? { exclude: true } : {}) } };
  }
  if (reasoning === 'thinking') {
    return meant === 'none'
      ? { thinking: { type: 'disabled' } }
      : { thinking: { type: 'enabled' }, ...(meant === null ? {} : { reasoning_effort: meant }) };
  }
  return meant === null ? {} : { reasoning_effort: meant };
}

function effortOf(budgetTokens: number): string {
  return EFFORTS.find(([, upTo]) => budgetTokens <= upTo)?.[0] ?? 'high';
}
