import { GatewayError } from '../../../../schema/errors.ts';
import type { AssistantPart, ToolResultPart, Turn, UserPart } from '../../conversation/conversation.ts';
import type { RequestFields } from '../request-fields.ts';
import { readKeptReasoning } from './kept-reasoning.ts';
import { readAssistantParts, readInstructionParts, readResultParts, readUserParts } from './read-parts.ts';

/** What a provider of this API did by itself; what came of it stands in the message after it. */
const TOLD = new Set([
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'mcp_list_tools',
  'compaction',
]);

/** The turns of a request's input. Neighboring items of the assistant are one turn, as are neighboring results of tools. */
export function readInput(body: RequestFields): readonly Turn[] {
  const input = body.value('input');
  if (input === null) throw body.missing('input');
  if (typeof input === 'string') return [{ role: 'user', parts: [{ kind: 'text', text: input, cache: null }] }];
  const items = body.objects('input');
  if (items.length === 0) throw body.invalid('input', 'must not be empty');
  const turns = new Turns();
  for (const item of items) readItem(item, turns);
  return turns.read();
}

function readItem(item: RequestFields, turns: Turns): void {
  // Where it is kept, and how far it got.
  item.passOver('id', 'status');
  const type = item.text('type') ?? 'message';
  if (type === 'message') readMessage(item, turns);
  else if (type === 'function_call') turns.assistant([readCall(item, turns)]);
  else if (type === 'function_call_output') turns.result(readResult(item));
  else if (type === 'reasoning') readReasoning(item, turns);
  else if (type === 'item_reference') throw unkept(item);
  else if (TOLD.has(type)) item.dropWhole(type);
  else
    throw item.invalid('type', `items of type '${type}' cannot be used with this model, whose provider does not speak the Responses API`);
}

function readMessage(item: RequestFields, turns: Turns): void {
  const role = item.neededText('role');
  if (role === 'user') turns.user(readUserParts(item));
  else if (role === 'assistant') turns.assistant(readAssistantParts(item));
  else if (role === 'system' || role === 'developer') turns.instructions(readInstructionParts(item));
  else throw item.invalid('role', 'must be `user`, `assistant`, `system` or `developer`');
}

function readCall(item: RequestFields, turns: Turns): AssistantPart {
  const callId = item.neededText('call_id');
  const input = item.neededText('arguments').trim() || '{}';
  if (!isJsonObject(input)) throw item.invalid('arguments', 'must be the JSON of an object');
  return { kind: 'tool_call', callId, name: item.neededText('name'), input, signature: turns.signatureOf(callId), cache: null };
}

function readResult(item: RequestFields): ToolResultPart {
  const callId = item.neededText('call_id');
  return { kind: 'tool_result', callId, toolName: null, parts: readResultParts(item), isError: false, cache: null };
}

/** What it keeps of ours goes back to its provider as it came; what another provider encrypted is of no use to this one. */
function readReasoning(item: RequestFields, turns: Turns): void {
  const encrypted = item.text('encrypted_content');
  const kept = encrypted === null ? null : readKeptReasoning(encrypted);
  if (kept?.kind === 'call') turns.sign(kept.callId, kept.signature);
  else if (kept?.kind === 'redacted') turns.assistant([{ kind: 'redacted_thinking', data: kept.data }]);
  else {
    if (encrypted !== null && kept === null) item.drop('encrypted_content');
    const [shown, summary] = [textsIn(item, 'content'), textsIn(item, 'summary')];
    const text = (shown.length > 0 ? shown : summary).join('\n\n');
    if (text !== '' || kept !== null) turns.assistant([{ kind: 'thinking', text, signature: kept?.signature ?? null }]);
  }
}

function textsIn(item: RequestFields, name: string): readonly string[] {
  return item.objects(name).map((part) => {
    part.passOver('type');
    return part.neededText('text');
  });
}

function unkept(item: RequestFields): GatewayError {
  return new GatewayError('invalid_request', {
    param: item.placeOf('type'),
    message:
      'Items cannot be referred to with this model, whose provider does not speak the Responses API: send the item itself, as SDKs do with `store: false`.',
  });
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Collects turns, neighbors that belong together as one. */
class Turns {
  readonly #turns: Turn[] = [];
  readonly #signatures = new Map<string, string>();
  #assistant: AssistantPart[] | null = null;
  #results: ToolResultPart[] | null = null;

  assistant(parts: readonly AssistantPart[]): void {
    if (parts.length === 0) return;
    if (this.#assistant === null) {
      this.#assistant = [];
      this.#turns.push({ role: 'assistant', parts: this.#assistant });
    }
    this.#assistant.push(...parts);
    this.#results = null;
  }

  result(part: ToolResultPart): void {
    if (this.#results === null) {
      this.#results = [];
      this.#turns.push({ role: 'user', parts: this.#results });
    }
    this.#results.push(part);
    this.#assistant = null;
  }

  user(parts: readonly UserPart[]): void {
    this.#push({ role: 'user', parts });
  }

  instructions(parts: Extract<Turn, { role: 'instructions' }>['parts']): void {
    this.#push({ role: 'instructions', parts });
  }

  /** Keeps what proves the thinking before a call until the call comes. */
  sign(callId: string, signature: string): void {
    this.#signatures.set(callId, signature);
  }

  signatureOf(callId: string): string | null {
    return this.#signatures.get(callId) ?? null;
  }

  read(): readonly Turn[] {
    return this.#turns;
  }

  #push(turn: Turn): void {
    this.#turns.push(turn);
    this.#assistant = null;
    this.#results = null;
  }
}
