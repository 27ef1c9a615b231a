import { GatewayError } from '../../../../../schema/errors.ts';
import type {
  AssistantPart,
  CacheMark,
  DocumentPart,
  ImagePart,
  RedactedThinkingPart,
  TextPart,
  ThinkingPart,
  Turn,
  UserPart,
} from '../../../conversation/conversation.ts';
import type { NotCarried } from '../../../conversation/dialect.ts';
import type { ChatHabits, SaidPart } from './chat-habits.ts';

/**
 * Turns as messages. A result of a tool is a message of its own, in front of what the user says beside it; a picture or a file in it, for which there is
 * no place there, is said by the user after it.
 */
export function writeMessages(turns: readonly Turn[], habits: ChatHabits, notCarried: NotCarried): object[] {
  return turns.flatMap((turn) => {
    if (turn.role === 'instructions') return [{ role: 'system', content: writeContent(turn.parts, habits, notCarried) }];
    return turn.role === 'user' ? writeUser(turn.parts, habits, notCarried) : [writeAssistant(turn.parts, habits, notCarried)];
  });
}

/** The mark of a part or a tool, in Anthropic's words as OpenRouter takes them. */
export function cacheControl(cache: CacheMark | null, isTaken: boolean, notCarried: NotCarried): object {
  if (cache === null) return {};
  if (isTaken) return { cache_control: { type: 'ephemeral', ...(cache.ttl === null ? {} : { ttl: cache.ttl }) } };
  notCarried('cache_control');
  return {};
}

function writeUser(parts: readonly UserPart[], habits: ChatHabits, notCarried: NotCarried): object[] {
  const results = parts.filter((part) => part.kind === 'tool_result');
  const said: SaidPart[] = [];
  for (const result of results) said.push(...result.parts.filter(({ kind }) => kind !== 'text'));
  said.push(...parts.filter((part) => part.kind !== 'tool_result'));
  const messages: object[] = results.map((result) => {
    if (result.isError) notCarried('is_error');
    const content = writeContent(
      result.parts.filter((part) => part.kind === 'text'),
      habits,
      notCarried,
    );
    return {
      role: 'tool',
      tool_call_id: callIdOf(result.callId, habits),
      content,
      ...cacheControl(result.cache, habits.cacheMarks === true, notCarried),
    };
  });
  if (said.length > 0 || results.length === 0) messages.push({ role: 'user', content: writeContent(said, habits, notCarried) });
  return messages;
}

/** One text is a string, which everyone takes. */
function writeContent(parts: readonly SaidPart[], habits: ChatHabits, notCarried: NotCarried): string | object[] {
  const { cacheMarks = false, textLists = true } = habits;
  const written = parts.map((part) => ({
    ...(habits.part?.(part) ?? writePart(part)),
    ...('cache' in part ? cacheControl(part.cache, cacheMarks, notCarried) : {}),
  }));
  const texts = parts.filter((part) => part.kind === 'text');
  const isMarked = written.some((part) => 'cache_control' in part);
  const isString = texts.length === parts.length && !isMarked && (parts.length < 2 || !textLists);
  return isString ? texts.map(({ text }) => text).join('\n') : written;
}

function writePart(part: SaidPart): object {
  switch (part.kind) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
    case 'image':
      return { type: 'image_url', image_url: { url: addressOf(part), ...(part.detail === null ? {} : { detail: part.detail }) } };
    case 'document':
      return writeDocument(part);
    default:
      return part satisfies never;
  }
}

function addressOf({ source }: ImagePart): string {
  if (source.kind === 'url') return source.url;
  if (source.kind === 'base64') return `data:${source.mediaType};base64,${source.data}`;
  throw refused('A picture named by the id of a file');
}

function writeDocument({ source, title }: DocumentPart): object {
  if (source.kind === 'text') return { type: 'text', text: title === null ? source.text : `${title}\n\n${source.text}` };
  if (source.kind === 'file') return { type: 'file', file: { file_id: source.id } };
  if (source.kind === 'url') throw refused('A document named by its address');
  return { type: 'file', file: { filename: title ?? 'document', file_data: `data:${source.mediaType};base64,${source.data}` } };
}

function refused(what: string): GatewayError {
  return new GatewayError('invalid_request', {
    param: 'messages',
    message: `${what} cannot be sent to this model: send its bytes instead.`,
  });
}

function writeAssistant(parts: readonly AssistantPart[], habits: ChatHabits, notCarried: NotCarried): object {
  const texts = parts.filter((part) => part.kind === 'text');
  const refusals = parts.filter((part) => part.kind === 'refusal');
  const calls = parts.filter((part) => part.kind === 'tool_call');
  const thinking = parts.filter((part) => part.kind === 'thinking' || part.kind === 'redacted_thinking');
  const thought = writeThinking(thinking, habits, notCarried);
  // A refusal in words is what was said.
  const words = joined([...texts, ...refusals.map(({ text }): TextPart => ({ kind: 'text', text, cache: null }))]);
  const content = words.length === 0 ? null : writeContent(words, habits, notCarried);
  const shown = thought.parts.length === 0 ? content : [...thought.parts, ...words.map(({ text }) => ({ type: 'text', text }))];
  return {
    role: 'assistant',
    content: shown ?? (calls.length === 0 ? '' : null),
    ...thought.members,
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ callId, name, input, cache }) => ({
            id: callIdOf(callId, habits),
            type: 'function',
            function: { name, arguments: input },
            ...cacheControl(cache, habits.cacheMarks === true, notCarried),
          })),
        }),
  };
}

/** What was said in pieces is one text; pieces with a mark stay apart. */
function joined(texts: readonly TextPart[]): readonly TextPart[] {
  if (texts.length < 2 || texts.some(({ cache }) => cache !== null)) return texts;
  return [{ kind: 'text', text: texts.map(({ text }) => text).join(''), cache: null }];
}

type Thinking = ThinkingPart | RedactedThinkingPart;

/** Thinking as the provider takes it back: as members of the message, or as parts of its content. */
function writeThinking(
  thinking: readonly Thinking[],
  { thinking: form }: ChatHabits,
  notCarried: NotCarried,
): { readonly members: object; readonly parts: readonly object[] } {
  const none = { members: {}, parts: [] };
  if (thinking.length === 0) return none;
  if (form === 'reasoning_details') return { members: { reasoning_details: thinking.map(writeDetail) }, parts: [] };
  const texts = thinking.flatMap((part) => (part.kind === 'thinking' ? [part.text] : []));
  if (form === undefined || texts.length < thinking.length) notCarried('thinking');
  if (form === undefined || texts.length === 0) return none;
  const text = texts.join('');
  return form === 'parts'
    ? { members: {}, parts: [{ type: 'thinking', thinking: [{ type: 'text', text }] }] }
    : { members: { [form]: text }, parts: [] };
}

function writeDetail(part: Thinking): object {
  if (part.kind === 'redacted_thinking') return { type: 'reasoning.encrypted', data: part.data };
  return { type: 'reasoning.text', text: part.text, ...(part.signature === null ? {} : { signature: part.signature }) };
}

function callIdOf(id: string, { callId }: ChatHabits): string {
  return callId === undefined ? id : callId(id);
}
