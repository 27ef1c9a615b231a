import type { AssistantPart, ToolCallPart } from '../../conversation/conversation.ts';
import type { RequestFields } from '../request-fields.ts';
import type { CallIds } from './call-ids.ts';
import type { KeptSignature } from './kept-signature.ts';
import { readKeptSignature } from './kept-signature.ts';

/** What Google's own tools left in a conversation, or its models drew: nobody else takes it for what a model said. */
const OF_GOOGLE = ['executableCode', 'codeExecutionResult', 'toolCall', 'toolResponse', 'inlineData', 'fileData', 'audioTranscription'];

/** Reads what the model said into what it said before: the pieces of a stream are one text, and thinking ends with its signature. */
export function readModelPart(part: RequestFields, calls: CallIds, said: AssistantPart[]): void {
  const foreign = OF_GOOGLE.find((name) => part.value(name) !== null);
  if (foreign !== undefined) {
    part.dropWhole(foreign);
    return;
  }
  const text = part.text('text');
  const call = part.object('functionCall');
  const isThought = part.flag('thought') === true;
  const kept = readSignature(part);
  if (call !== null) {
    said.push(readCall(call, calls, kept?.kind === 'signature' ? kept.signature : null));
  } else if (kept?.kind === 'redacted') {
    said.push({ kind: 'redacted_thinking', data: kept.data });
  } else if (text === null) throw part.missing('text');
  else if (isThought) addThinking(said, text, kept?.signature ?? null);
  else {
    // Of a text it proves the thinking before it.
    if (kept !== null) addThinking(said, '', kept.signature);
    addText(said, text);
  }
}

/** Null where there is none, or one of Google's own, which proves nothing to anybody else. */
function readSignature(part: RequestFields): KeptSignature | null {
  const signature = part.text('thoughtSignature');
  const kept = signature === null ? null : readKeptSignature(signature);
  if (signature !== null && kept === null) part.drop('thoughtSignature');
  return kept;
}

function readCall(call: RequestFields, calls: CallIds, signature: string | null): ToolCallPart {
  const name = call.neededText('name');
  const callId = calls.called(name, call.text('id'));
  const input = JSON.stringify(call.wholeObject('args') ?? {});
  return { kind: 'tool_call', callId, name, input, signature, cache: null };
}

function addText(said: AssistantPart[], text: string): void {
  const last = said.at(-1);
  if (last?.kind === 'text') said[said.length - 1] = { ...last, text: last.text + text };
  else if (text !== '') said.push({ kind: 'text', text, cache: null });
}

function addThinking(said: AssistantPart[], text: string, signature: string | null): void {
  const last = said.at(-1);
  if (last?.kind === 'thinking' && last.signature === null) said[said.length - 1] = { ...last, text: last.text + text, signature };
  else if (text !== '' || signature !== null) said.push({ kind: 'thinking', text, signature });
}
