import type { ToolResultPart, Turn } from '../../conversation/conversation.ts';
import type { RequestFields } from '../request-fields.ts';
import { readAssistant } from './read-assistant.ts';
import { readCacheMark, readContent, readResultPart, readTextPart, readUserPart } from './read-parts.ts';

/** The messages as turns: neighboring results of tools are one, and what says nothing at all is left out. */
export function readMessages(messages: readonly RequestFields[]): Turn[] {
  const turns: Turn[] = [];
  let results: ToolResultPart[] = [];
  let formerCallId = '';
  messages.forEach((message, index) => {
    const role = message.neededText('role');
    if (role === 'tool' || role === 'function') {
      if (results.length === 0) turns.push({ role: 'user', parts: results });
      results.push(readResult(message, role === 'tool' ? message.neededText('tool_call_id') : formerCallId));
      return;
    }
    results = [];
    if (role === 'assistant') formerCallId = `call_${index}`;
    const turn: Turn = role === 'assistant' ? { role, parts: readAssistant(message, formerCallId) } : readSaid(role, message);
    if (turn.parts.length > 0) turns.push(turn);
  });
  return turns;
}

function readSaid(role: string, message: RequestFields): Turn {
  const cache = readCacheMark(message);
  // Of a speaker no other dialect knows a name.
  if (role === 'user') return { role, parts: readContent(message, 'content', cache, readUserPart) };
  if (role !== 'system' && role !== 'developer') throw message.invalid('role', `"${role}" is not supported`);
  return { role: 'instructions', parts: readContent(message, 'content', cache, readTextPart) };
}

/** A `name` is the tool's, where it is given. */
function readResult(message: RequestFields, callId: string): ToolResultPart {
  return {
    kind: 'tool_result',
    callId,
    toolName: message.text('name'),
    parts: readContent(message, 'content', null, readResultPart),
    isError: false,
    cache: readCacheMark(message),
  };
}
