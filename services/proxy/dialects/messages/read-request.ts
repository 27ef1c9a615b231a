import type { MessagesRequest } from '../../../../schema/http/messages.ts';
import { parseExactJson } from '../../body/exact-json.ts';
import { isFields } from '../../body/json-fields.ts';
import type { Conversation, OutputFormat, ReasoningWish, Turn } from '../../conversation/conversation.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import { RequestFields } from '../request-fields.ts';
import { readAssistantBlock, readContent, readTextBlock, readUserBlock } from './read-blocks.ts';
import { readToolChoice, readTools } from './read-tools.ts';

/** Anthropic's words for whether capacity that was paid for may be used. */
const TIERS: ReadonlyMap<string | null, string> = new Map([
  ['auto', 'auto'],
  ['standard_only', 'default'],
]);

/** What tools are called with is an object in this dialect, whose numbers pass through. */
const TOOL_USE = Buffer.from('"tool_use"');

/** Reads a request for a message. What only Anthropic has is named as not carried. */
export function readRequest(request: MessagesRequest, notCarried: NotCarried, bytes: Buffer): Conversation {
  const body = new RequestFields(bytes.includes(TOOL_USE) ? withDigits(request, bytes) : request, '', notCarried);
  const outputConfig = body.object('output_config');
  const conversation: Conversation = {
    turns: readTurns(body),
    tools: readTools(body),
    ...readToolChoice(body),
    maxOutputTokens: body.number('max_tokens'),
    temperature: body.number('temperature'),
    topP: body.number('top_p'),
    topK: body.number('top_k'),
    frequencyPenalty: null,
    presencePenalty: null,
    seed: null,
    stopSequences: readStops(body),
    choices: 1,
    logprobs: null,
    reasoning: readReasoning(body, outputConfig),
    outputFormat: readFormat(outputConfig ?? body, outputConfig === null ? 'output_format' : 'format'),
    serviceTier: TIERS.get(body.text('service_tier')) ?? null,
    endUser: body.object('metadata')?.text('user_id') ?? null,
    stream: body.flag('stream') === true,
  };
  // What the gateway itself does.
  body.passOver('model');
  body.tellRest();
  return conversation;
}

/** The request with the messages as they were written: nothing in them is read as a number. */
function withDigits(request: MessagesRequest, bytes: Buffer): unknown {
  const exact = parseExactJson(bytes.toString('utf8'));
  return isFields(exact) ? { ...request, messages: exact.messages } : request;
}

function readTurns(body: RequestFields): Turn[] {
  const turns: Turn[] = [];
  const system = readContent(body, 'system', readTextBlock);
  if (system.length > 0) turns.push({ role: 'instructions', parts: system });
  for (const message of body.objects('messages')) {
    const turn = readTurn(message, message.neededText('role'));
    if (turn.parts.length > 0) turns.push(turn);
  }
  return turns;
}

function readTurn(message: RequestFields, role: string): Turn {
  if (role === 'user') return { role, parts: readContent(message, 'content', readUserBlock) };
  if (role === 'assistant') return { role, parts: readContent(message, 'content', readAssistantBlock) };
  if (role === 'system') return { role: 'instructions', parts: readContent(message, 'content', readTextBlock) };
  throw message.invalid('role', `"${role}" is not supported`);
}

function readStops(body: RequestFields): string[] {
  return (body.list('stop_sequences') ?? []).map((text) => {
    if (typeof text !== 'string') throw body.invalid('stop_sequences', 'must be an array of strings');
    return text;
  });
}

function readReasoning(body: RequestFields, outputConfig: RequestFields | null): ReasoningWish | null {
  const thinking = body.object('thinking');
  const asked = outputConfig?.text('effort') ?? null;
  if (thinking === null && asked === null) return null;
  // Nobody else has more than that.
  const effort = asked === 'max' ? 'xhigh' : asked;
  if (thinking === null) return { effort, budgetTokens: null, visible: null };
  const display = thinking.text('display');
  return {
    effort: thinking.neededText('type') === 'disabled' ? 'none' : effort,
    budgetTokens: thinking.number('budget_tokens'),
    visible: display === null ? null : display !== 'omitted',
  };
}

/** In `output_config.format`, or as it was called before. */
function readFormat(owner: RequestFields, name: string): OutputFormat {
  const format = owner.object(name);
  if (format === null) return { kind: 'text' };
  const type = format.neededText('type');
  if (type !== 'json_schema') throw format.invalid('type', `"${type}" is not supported`);
  // OpenAI wants a name for it.
  return { kind: 'json_schema', name: 'answer', schema: format.wholeObject('schema') ?? {}, strict: true };
}
