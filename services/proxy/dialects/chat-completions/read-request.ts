import type { ChatCompletionRequest } from '../../../../schema/http/chat-completions.ts';
import type { Conversation, OutputFormat, ReasoningWish } from '../../conversation/conversation.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import { RequestFields } from '../request-fields.ts';
import { readMessages } from './read-messages.ts';
import { readTools } from './read-tools.ts';

/** Reads a request for a chat completion, with what LiteLLM's and OpenRouter's clients add. What only OpenAI has is named as not carried. */
export function readRequest(request: ChatCompletionRequest, notCarried: NotCarried): Conversation {
  const body = new RequestFields(request, '', notCarried);
  const limit = body.number('max_completion_tokens');
  const formerLimit = body.number('max_tokens');
  const logprobs = body.flag('logprobs');
  const alternatives = body.number('top_logprobs');
  const safetyIdentifier = body.text('safety_identifier');
  const conversation: Conversation = {
    turns: readMessages(body.objects('messages')),
    ...readTools(body),
    parallelToolCalls: body.flag('parallel_tool_calls'),
    maxOutputTokens: limit ?? formerLimit,
    temperature: body.number('temperature'),
    topP: body.number('top_p'),
    topK: body.number('top_k'),
    frequencyPenalty: body.number('frequency_penalty'),
    presencePenalty: body.number('presence_penalty'),
    seed: body.number('seed'),
    stopSequences: readStop(body),
    choices: body.number('n') ?? 1,
    logprobs: logprobs === true ? (alternatives ?? 0) : null,
    reasoning: readReasoning(body),
    outputFormat: readFormat(body),
    serviceTier: body.text('service_tier'),
    endUser: body.text('user') ?? safetyIdentifier,
    stream: body.flag('stream') === true,
  };
  // What the gateway itself does, or what changes nothing.
  body.passOver('model', 'stream_options');
  if (isTextOnly(body.value('modalities')) === false) body.drop('modalities');
  if (body.flag('store') === true) body.drop('store');
  body.tellRest();
  return conversation;
}

function readStop(body: RequestFields): string[] {
  const stop = body.value('stop');
  if (typeof stop === 'string') return [stop];
  return (body.list('stop') ?? []).map((text) => {
    if (typeof text !== 'string') throw body.invalid('stop', 'must be a string or an array of strings');
    return text;
  });
}

/** `reasoning_effort`, OpenRouter's `reasoning` or, as for Anthropic, `thinking`; of several the most exact says how much. */
function readReasoning(body: RequestFields): ReasoningWish | null {
  const effort = body.text('reasoning_effort');
  const reasoning = body.object('reasoning');
  const thinking = body.object('thinking');
  if (effort === null && reasoning === null && thinking === null) return null;
  const hidden = reasoning?.flag('exclude') ?? null;
  const isOff = reasoning?.flag('enabled') === false || thinking?.text('type') === 'disabled';
  const wish = {
    effort: isOff ? 'none' : (effort ?? reasoning?.text('effort') ?? null),
    budgetTokens: isOff ? null : (thinking?.number('budget_tokens') ?? reasoning?.number('max_tokens') ?? null),
    visible: hidden === null ? null : !hidden,
  };
  return wish;
}

function readFormat(body: RequestFields): OutputFormat {
  const format = body.object('response_format');
  const type = format?.neededText('type') ?? 'text';
  if (format === null || type === 'text') return { kind: 'text' };
  if (type === 'json_object') return { kind: 'json' };
  if (type !== 'json_schema') throw format.invalid('type', `"${type}" is not supported`);
  const described = format.neededObject('json_schema');
  return {
    kind: 'json_schema',
    name: described.neededText('name'),
    schema: described.wholeObject('schema') ?? {},
    strict: described.flag('strict'),
  };
}

function isTextOnly(modalities: unknown): boolean {
  return modalities === null || (Array.isArray(modalities) && modalities.every((modality) => modality === 'text'));
}
