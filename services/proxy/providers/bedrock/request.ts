import type { Fields } from '../../body/json-fields.ts';
import { isFields } from '../../body/json-fields.ts';
import type { Conversation, OutputFormat, Tool, ToolChoice, Turn } from '../../conversation/conversation.ts';
import type { NotCarried, ProviderRequest } from '../../conversation/dialect.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import { FRAMES_CONTENT_TYPE } from '../event-stream/frame-reader.ts';
import { CachePoints } from './cache-points.ts';
import { calledTools } from './called-tools.ts';
import { writeAssistantPart, writeText, writeUserParts } from './content.ts';
import { DocumentNames } from './media.ts';
import { modelPath } from './model-path.ts';
import { ownFields } from './own-fields.ts';

interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: Fields[];
}

const SERVICE_TIERS: readonly string[] = ['default', 'flex', 'priority'];

/** Writes a conversation as a request to Converse, or to ConverseStream. @throws {GatewayError} for content it cannot be given. */
export function writeRequest(
  conversation: Conversation,
  target: Pick<CompiledModel, 'upstreamModel' | 'maxOutputTokens'>,
  notCarried: NotCarried,
): ProviderRequest {
  const { upstreamModel } = target;
  const { stopSequences, serviceTier, outputFormat } = conversation;
  const points = new CachePoints(upstreamModel, notCarried);
  const { system, messages } = writeTurns(conversation.turns, points, notCarried);
  const { temperature, topP, maxOutputTokens, additional } = ownFields(conversation, upstreamModel, target.maxOutputTokens, notCarried);
  tellUnknown(conversation, notCarried);
  const body = {
    messages,
    system: system.length === 0 ? undefined : system,
    inferenceConfig: {
      maxTokens: maxOutputTokens ?? undefined,
      temperature: temperature ?? undefined,
      topP: topP ?? undefined,
      stopSequences: stopSequences.length === 0 ? undefined : stopSequences,
    },
    toolConfig: writeToolConfig(conversation, points, notCarried),
    outputConfig: writeOutputConfig(outputFormat, notCarried),
    serviceTier: serviceTier !== null && SERVICE_TIERS.includes(serviceTier) ? { type: serviceTier } : undefined,
    additionalModelRequestFields: additional ?? undefined,
  };
  return {
    path: modelPath(upstreamModel, conversation.stream ? 'converse-stream' : 'converse'),
    body: JSON.stringify(body),
    headers: conversation.stream ? ['accept', FRAMES_CONTENT_TYPE] : [],
  };
}

/** Roles alternate. Instructions stand before everything, wherever they were said. */
function writeTurns(
  turns: readonly Turn[],
  points: CachePoints,
  notCarried: NotCarried,
): { readonly system: Fields[]; readonly messages: readonly Message[] } {
  const system: Fields[] = [];
  const messages: Message[] = [];
  const writing = { names: new DocumentNames(), points, notCarried };
  for (const turn of turns) {
    if (turn.role === 'instructions') {
      if (messages.length > 0) notCarried('messages[].role');
      system.push(...turn.parts.flatMap((part) => writeText(part, writing)));
      continue;
    }
    const content =
      turn.role === 'assistant' ? turn.parts.flatMap((part) => writeAssistantPart(part, writing)) : writeUserParts(turn.parts, writing);
    const last = messages.at(-1);
    if (last?.role === turn.role) last.content.push(...content);
    else if (content.length > 0) messages.push({ role: turn.role, content });
  }
  return { system, messages };
}

/** Converse cannot be told to call nothing: it is told of no tools then, unless calls were made already, of which it has to know the tools. */
function writeToolConfig({ tools, toolChoice, turns }: Conversation, points: CachePoints, notCarried: NotCarried): Fields | undefined {
  if (tools.length > 0 && toolChoice?.kind !== 'none') {
    return { tools: tools.flatMap((tool) => writeTool(tool, points)), toolChoice: writeToolChoice(toolChoice) };
  }
  const called = calledTools(turns);
  if (called.length === 0) return undefined;
  notCarried('tool_choice');
  return { tools: (tools.length > 0 ? tools : called).flatMap((tool) => writeTool(tool, points)) };
}

function writeTool({ name, description, parameters, strict, cache }: Tool, points: CachePoints): Fields[] {
  const json = isFields(parameters) ? { type: 'object', ...parameters } : { type: 'object', properties: {} };
  const spec = {
    name,
    description: description === null || description === '' ? undefined : description,
    inputSchema: { json },
    strict: strict === true ? true : undefined,
  };
  return [{ toolSpec: spec }, ...points.behind('tool', cache)];
}

function writeToolChoice(choice: ToolChoice | null): Fields | undefined {
  if (choice?.kind === 'auto') return { auto: {} };
  if (choice?.kind === 'required') return { any: {} };
  return choice?.kind === 'tool' ? { tool: { name: choice.name } } : undefined;
}

function writeOutputConfig(format: OutputFormat, notCarried: NotCarried): Fields | undefined {
  if (format.kind === 'text') return undefined;
  if (format.kind === 'json_schema') {
    const jsonSchema = { name: format.name, schema: JSON.stringify(format.schema) };
    return { textFormat: { type: 'json_schema', structure: { jsonSchema } } };
  }
  notCarried('response_format');
  return undefined;
}

/** What no model of Bedrock's is told by Converse. */
function tellUnknown(conversation: Conversation, notCarried: NotCarried): void {
  const { choices, logprobs, seed, frequencyPenalty, presencePenalty, parallelToolCalls, serviceTier, endUser } = conversation;
  if (choices > 1) notCarried('n');
  if (logprobs !== null) notCarried('logprobs');
  if (seed !== null) notCarried('seed');
  if (frequencyPenalty !== null && frequencyPenalty !== 0) notCarried('frequency_penalty');
  if (presencePenalty !== null && presencePenalty !== 0) notCarried('presence_penalty');
  if (parallelToolCalls === false) notCarried('parallel_tool_calls');
  if (endUser !== null) notCarried('user');
  if (serviceTier !== null && serviceTier !== 'auto' && !SERVICE_TIERS.includes(serviceTier)) notCarried('service_tier');
}
