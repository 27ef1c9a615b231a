import type { AssistantPart, RedactedThinkingPart, ThinkingPart, ToolCallPart } from '../../conversation/conversation.ts';
import type { RequestFields } from '../request-fields.ts';
import { readCacheMark, readContent, readTextPart } from './read-parts.ts';

/**
 * What an assistant said before, as this gateway answered it or another did: thinking first, since providers want it back in front of what followed from
 * it, then words, then calls.
 * @param formerCallId of a `function_call`, which has no id of its own.
 */
export function readAssistant(message: RequestFields, formerCallId: string): AssistantPart[] {
  const cache = readCacheMark(message);
  const parts: AssistantPart[] = readThinking(message);
  parts.push(...readContent<AssistantPart>(message, 'content', cache, readAssistantPart));
  const refusal = message.text('refusal');
  if (refusal !== null && refusal !== '') parts.push({ kind: 'refusal', text: refusal });
  const formerCall = message.object('function_call');
  if (formerCall !== null) parts.push(functionCall(formerCall, formerCallId, null));
  for (const call of message.objects('tool_calls')) parts.push(readCall(call));
  // They are about an answer that was given, and say nothing to a model.
  message.passOver('annotations', 'parsed', 'name');
  return parts;
}

function readAssistantPart(part: RequestFields): AssistantPart {
  const type = part.neededText('type');
  if (type === 'refusal') return { kind: 'refusal', text: part.neededText('refusal') };
  if (type !== 'thinking') return readTextPart(part);
  // Mistral's: a list of texts.
  part.passOver('closed');
  const texts = part.objects('thinking').map((text) => {
    text.passOver('type');
    return text.neededText('text');
  });
  return { kind: 'thinking', text: texts.join(''), signature: null };
}

/** `thinking_blocks` have signatures, as have OpenRouter's `reasoning_details`; bare reasoning counts where neither is there. */
function readThinking(message: RequestFields): (ThinkingPart | RedactedThinkingPart)[] {
  const blocks = message.objects('thinking_blocks').map(readBlock);
  const details = message.objects('reasoning_details').map(readDetail);
  const bare = message.text('reasoning_content');
  const text = message.text('reasoning') ?? bare;
  if (blocks.length > 0) return blocks;
  if (details.length > 0) return details;
  return text === null || text === '' ? [] : [{ kind: 'thinking', text, signature: null }];
}

function readBlock(block: RequestFields): ThinkingPart | RedactedThinkingPart {
  const type = block.neededText('type');
  if (type === 'redacted_thinking') return { kind: 'redacted_thinking', data: block.neededText('data') };
  if (type !== 'thinking') throw block.invalid('type', `"${type}" is not supported`);
  return { kind: 'thinking', text: block.neededText('thinking'), signature: block.text('signature') };
}

function readDetail(detail: RequestFields): ThinkingPart | RedactedThinkingPart {
  const type = detail.neededText('type');
  detail.passOver('id', 'format', 'index');
  if (type === 'reasoning.encrypted') return { kind: 'redacted_thinking', data: detail.neededText('data') };
  return { kind: 'thinking', text: detail.text('text') ?? detail.text('summary') ?? '', signature: detail.text('signature') };
}

function readCall(call: RequestFields): ToolCallPart {
  const callId = call.neededText('id');
  // Left by who puts a stream together.
  call.passOver('index');
  if (call.text('type') === 'custom') {
    // Its input is no JSON; as that of a function it is.
    const custom = call.neededObject('custom');
    const input = JSON.stringify({ input: custom.neededText('input') });
    return { kind: 'tool_call', callId, name: custom.neededText('name'), input, signature: null, cache: readCacheMark(call) };
  }
  return functionCall(call.neededObject('function'), callId, call);
}

function functionCall(called: RequestFields, callId: string, call: RequestFields | null): ToolCallPart {
  const input = called.text('arguments') ?? '';
  return {
    kind: 'tool_call',
    callId,
    name: called.neededText('name'),
    input: input.trim() === '' ? '{}' : input,
    signature: call === null ? null : readSignature(call),
    cache: call === null ? null : readCacheMark(call),
  };
}

/** Where Google's own chat endpoint puts it, or LiteLLM. */
function readSignature(call: RequestFields): string | null {
  const google = call.object('extra_content')?.object('google');
  return google?.text('thought_signature') ?? call.object('provider_specific_fields')?.text('thought_signature') ?? null;
}
