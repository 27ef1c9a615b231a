import type { Fields } from '../../body/json-fields.ts';
import type { AssistantPart, TextPart, ToolResultPart, Turn, UserPart } from '../../conversation/conversation.ts';
import type { RequestFields } from '../request-fields.ts';
import { CallIds } from './call-ids.ts';
import { readMedia } from './read-media.ts';
import { readModelPart } from './read-model-part.ts';

/** Who speaks in a content; without a role it is the user. */
const USERS: ReadonlySet<string> = new Set(['user', 'function', 'tool']);

/** The contents as turns. Neighbors of the model are one, as its clients keep each piece of a stream as a content of its own. */
export function readContents(body: RequestFields): Turn[] {
  const turns: Turn[] = [];
  const calls = new CallIds();
  let said: AssistantPart[] | null = null;
  for (const content of body.objects('contents')) {
    const role = content.text('role') ?? 'user';
    if (role === 'model') {
      if (said === null) {
        said = [];
        turns.push({ role: 'assistant', parts: said });
      }
      for (const part of partsOf(content)) readModelPart(part, calls, said);
    } else if (USERS.has(role)) {
      said = null;
      turns.push({ role: 'user', parts: partsOf(content).map((part) => readUserPart(part, calls)) });
    } else throw content.invalid('role', 'must be "user" or "model"');
  }
  return turns.filter(({ parts }) => parts.length > 0);
}

/** What stands before all that is said. */
export function readInstructions(body: RequestFields): Turn[] {
  const content = body.object('systemInstruction');
  if (content === null) return [];
  const parts = partsOf(content).map((part): TextPart => {
    const text = part.neededText('text');
    return { kind: 'text', text, cache: null };
  });
  // Google does not look at it here.
  content.passOver('role');
  return parts.length === 0 ? [] : [{ role: 'instructions', parts }];
}

/** Google takes one part for a list of one. */
function partsOf(owner: RequestFields): readonly RequestFields[] {
  const parts = owner.value('parts');
  return parts === null || Array.isArray(parts) ? owner.objects('parts') : [owner.neededObject('parts')];
}

function readUserPart(part: RequestFields, calls: CallIds): UserPart {
  const text = part.text('text');
  const read: UserPart | null = text === null ? (readMedia(part) ?? readResult(part, calls)) : { kind: 'text', text, cache: null };
  if (read === null) throw part.missing('text');
  part.flag('thought');
  return read;
}

function readResult(part: RequestFields, calls: CallIds): ToolResultPart | null {
  const result = part.object('functionResponse');
  if (result === null) return null;
  const toolName = result.neededText('name');
  const callId = calls.answered(toolName, result.text('id'));
  if (callId === null) throw result.invalid('name', 'must be that of a `functionCall` before it which has no response yet');
  const { text, isError } = wordsOf(result.wholeObject('response'));
  const shown = partsOf(result).map((media) => {
    const read = readMedia(media);
    if (read === null) throw media.missing('inlineData');
    if (read.kind === 'audio') throw media.invalid('inlineData', 'must not be a sound');
    return read;
  });
  const said: TextPart[] = text === '' ? [] : [{ kind: 'text', text, cache: null }];
  return { kind: 'tool_result', callId, toolName, parts: [...said, ...shown], isError, cache: null };
}

/** Google's names for what a function gave and why it could not; where neither stands alone the whole object is what it gave. */
function wordsOf(response: Fields | null): { readonly text: string; readonly isError: boolean } {
  if (response === null) return { text: '', isError: false };
  const members = Object.entries(response);
  const [name, value] = members.length === 1 ? (members[0] ?? []) : [];
  if (name !== 'output' && name !== 'error') return { text: JSON.stringify(response), isError: false };
  return { text: typeof value === 'string' ? value : JSON.stringify(value), isError: name === 'error' };
}
