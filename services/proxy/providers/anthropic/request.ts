import { isFields } from '../../body/json-fields.ts';
import type { Conversation, Tool, Turn } from '../../conversation/conversation.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import type { ClaudeModel } from './claude-model.ts';
import { claudeModel } from './claude-model.ts';
import { writeAssistantPart, writeCache, writeText, writeUserPart } from './content.ts';
import { writeThinking } from './thinking.ts';

/** Every Claude model answers as much; written where neither the application nor the catalog names a limit, since Anthropic wants one. */
const LEAST_OUTPUT_TOKENS = 4_096;

type Target = Pick<CompiledModel, 'upstreamModel' | 'maxOutputTokens'>;

/**
 * The body of a call to Anthropic's Messages API. `envelope` are its first members, `"model":…` for Anthropic itself; whoever else serves Claude names it
 * elsewhere. Everything the API refuses or has no place for is told to `notCarried`. @throws {GatewayError} for sounds.
 */
export function writeMessagesRequest(
  conversation: Conversation,
  { upstreamModel, maxOutputTokens }: Target,
  envelope: readonly string[],
  notCarried: NotCarried,
): string {
  const model = claudeModel(upstreamModel);
  const maxTokens = conversation.maxOutputTokens ?? maxOutputTokens ?? LEAST_OUTPUT_TOKENS;
  const { thinking, effort, on } = writeThinking(conversation, model, maxTokens, notCarried);
  const members = [...envelope, `"max_tokens":${maxTokens}`];
  const add = (name: string, json: string | null): void => {
    if (json !== null) members.push(`"${name}":${json}`);
  };
  const { system, messages } = writeTurns(conversation.turns, notCarried);
  add('system', system);
  add('messages', messages);
  add(
    'tools',
    conversation.tools.length === 0 ? null : `[${conversation.tools.map((tool) => writeTool(tool, model, notCarried)).join(',')}]`,
  );
  add('tool_choice', writeToolChoice(conversation, notCarried));
  add('thinking', thinking);
  add('output_config', writeOutputConfig(conversation, effort, model, notCarried));
  addSampling(conversation, model.sampling && !on, add, notCarried);
  add('stop_sequences', writeStops(conversation.stopSequences, notCarried));
  add('service_tier', writeServiceTier(conversation.serviceTier, notCarried));
  add('metadata', conversation.endUser === null ? null : JSON.stringify({ user_id: conversation.endUser }));
  add('stream', conversation.stream ? 'true' : null);
  tellUnknown(conversation, notCarried);
  return `{${members.join(',')}}`;
}

/** The turns with their roles alternating, and what stands before them. */
function writeTurns(turns: readonly Turn[], notCarried: NotCarried): { readonly system: string | null; readonly messages: string } {
  const firstSaid = turns.findIndex(({ role }) => role !== 'instructions');
  // A conversation of instructions alone has to be said by somebody.
  const leading = firstSaid < 0 ? Math.max(turns.length - 1, 0) : firstSaid;
  const system = turns.slice(0, leading).flatMap((turn) => (turn.role === 'instructions' ? turn.parts.map(writeText) : []));
  const messages: { readonly role: 'user' | 'assistant'; readonly results: string[]; readonly blocks: string[] }[] = [];
  for (const turn of turns.slice(leading)) {
    if (turn.role === 'instructions') notCarried('messages[].role');
    const role = turn.role === 'assistant' ? 'assistant' : 'user';
    let message = messages.at(-1);
    if (message?.role !== role) {
      message = { role, results: [], blocks: [] };
      messages.push(message);
    }
    for (const part of turn.role === 'assistant' ? [] : turn.parts) {
      const block = writeUserPart(part, notCarried);
      // The results of calls have to come before all that is said with them.
      if (block !== null) (part.kind === 'tool_result' ? message.results : message.blocks).push(block);
    }
    for (const part of turn.role === 'assistant' ? turn.parts : []) {
      const block = writeAssistantPart(part, notCarried);
      if (block !== null) message.blocks.push(block);
    }
  }
  const said = messages.filter(({ results, blocks }) => results.length + blocks.length > 0);
  const systemBlocks = system.filter((block) => block !== null);
  return {
    system: systemBlocks.length === 0 ? null : `[${systemBlocks.join(',')}]`,
    messages: `[${said.map(({ role, results, blocks }) => `{"role":"${role}","content":[${[...results, ...blocks].join(',')}]}`).join(',')}]`,
  };
}

function writeTool({ name, description, parameters, strict, cache }: Tool, model: ClaudeModel, notCarried: NotCarried): string {
  const schema = isFields(parameters) ? { type: 'object', ...parameters } : { type: 'object', properties: {} };
  if (strict === true && !model.schemas) notCarried('tools[].function.strict');
  const described = description === null ? '' : `,"description":${JSON.stringify(description)}`;
  const bound = strict === true && model.schemas ? ',"strict":true' : '';
  return `{"name":${JSON.stringify(name)}${described},"input_schema":${JSON.stringify(schema)}${bound}${writeCache(cache)}}`;
}

function writeToolChoice({ tools, toolChoice, parallelToolCalls }: Conversation, notCarried: NotCarried): string | null {
  if (tools.length === 0) {
    if (toolChoice?.kind === 'required' || toolChoice?.kind === 'tool') notCarried('tool_choice');
    return null;
  }
  if (toolChoice?.kind === 'none') return '{"type":"none"}';
  const single = parallelToolCalls === false ? ',"disable_parallel_tool_use":true' : '';
  if (toolChoice?.kind === 'tool') return `{"type":"tool","name":${JSON.stringify(toolChoice.name)}${single}}`;
  if (toolChoice?.kind === 'required') return `{"type":"any"${single}}`;
  return toolChoice === null && single === '' ? null : `{"type":"auto"${single}}`;
}

function writeOutputConfig(
  { outputFormat }: Conversation,
  effort: string | null,
  model: ClaudeModel,
  notCarried: NotCarried,
): string | null {
  const members = effort === null ? [] : [`"effort":${JSON.stringify(effort)}`];
  if (outputFormat.kind === 'json_schema' && model.schemas) {
    members.push(`"format":${JSON.stringify({ type: 'json_schema', schema: outputFormat.schema })}`);
  } else if (outputFormat.kind !== 'text') notCarried('response_format');
  return members.length === 0 ? null : `{${members.join(',')}}`;
}

/** @param taken whether the model takes any of it; what is its own default says nothing and needs not to be taken. */
function addSampling(
  { temperature, topP, topK }: Conversation,
  taken: boolean,
  add: (name: string, json: string | null) => void,
  notCarried: NotCarried,
): void {
  if (temperature !== null) {
    if ((!taken && temperature !== 1) || temperature > 1) notCarried('temperature');
    if (taken) add('temperature', String(Math.min(temperature, 1)));
  }
  if (topP !== null && topP !== 1) {
    // Newer models refuse both at once.
    if (taken && temperature === null) add('top_p', String(topP));
    else notCarried('top_p');
  }
  if (topK !== null) {
    if (taken) add('top_k', String(topK));
    else notCarried('top_k');
  }
}

function writeStops(stopSequences: readonly string[], notCarried: NotCarried): string | null {
  const taken = stopSequences.filter((sequence) => sequence.trim() !== '');
  if (taken.length < stopSequences.length) notCarried('stop');
  return taken.length === 0 ? null : JSON.stringify(taken);
}

function writeServiceTier(serviceTier: string | null, notCarried: NotCarried): string | null {
  if (serviceTier === null) return null;
  if (serviceTier === 'auto') return '"auto"';
  if (serviceTier === 'default') return '"standard_only"';
  notCarried('service_tier');
  return null;
}

/** What no Claude model knows. */
function tellUnknown({ choices, logprobs, seed, frequencyPenalty, presencePenalty }: Conversation, notCarried: NotCarried): void {
  if (choices > 1) notCarried('n');
  if (logprobs !== null) notCarried('logprobs');
  if (seed !== null) notCarried('seed');
  if (frequencyPenalty !== null && frequencyPenalty !== 0) notCarried('frequency_penalty');
  if (presencePenalty !== null && presencePenalty !== 0) notCarried('presence_penalty');
}
