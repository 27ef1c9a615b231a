import { GatewayError } from '../../../../schema/errors.ts';
import { isFields } from '../../body/json-fields.ts';
import type {
  AssistantPart,
  CacheMark,
  DocumentPart,
  ImagePart,
  Source,
  TextPart,
  ToolResultPart,
  UserPart,
} from '../../conversation/conversation.ts';
import type { NotCarried } from '../../conversation/dialect.ts';

/** What an identifier of a call may not have; other providers' have it. */
const NOT_IN_CALL_ID = /[^\w-]/g;

/** A content block, JSON; null for what Anthropic refuses because it says nothing. */
export function writeText({ text, cache }: TextPart): string | null {
  return text.trim() === '' ? null : `{"type":"text","text":${JSON.stringify(text)}${writeCache(cache)}}`;
}

/** @throws {GatewayError} for a sound: no Claude model hears, and a question without it is another question. */
export function writeUserPart(part: UserPart, notCarried: NotCarried): string | null {
  switch (part.kind) {
    case 'text':
      return writeText(part);
    case 'image':
      return writeImage(part, notCarried);
    case 'document':
      return writeDocument(part);
    case 'tool_result':
      return writeToolResult(part, notCarried);
    case 'audio':
      throw new GatewayError('invalid_request', { message: "Anthropic's models take no audio.", param: 'messages' });
  }
}

export function writeAssistantPart(part: AssistantPart, notCarried: NotCarried): string | null {
  switch (part.kind) {
    case 'text':
      return writeText(part);
    case 'refusal':
      return writeText({ kind: 'text', text: part.text, cache: null });
    case 'thinking':
      if (part.signature === null) {
        // Nobody but Anthropic can sign it, and what is not signed is refused.
        notCarried('messages[].thinking');
        return null;
      }
      return `{"type":"thinking","thinking":${JSON.stringify(part.text)},"signature":${JSON.stringify(part.signature)}}`;
    case 'redacted_thinking':
      return `{"type":"redacted_thinking","data":${JSON.stringify(part.data)}}`;
    case 'tool_call':
      if (part.signature !== null) notCarried('messages[].tool_calls[].signature');
      return `{"type":"tool_use","id":${writeCallId(part.callId)},"name":${JSON.stringify(part.name)},"input":${writeInput(part.input, notCarried)}${writeCache(part.cache)}}`;
  }
}

/** Member of a block that is to be kept, with the comma before it. */
export function writeCache(cache: CacheMark | null): string {
  if (cache === null) return '';
  return `,"cache_control":{"type":"ephemeral"${cache.ttl === null ? '' : `,"ttl":"${cache.ttl}"`}}`;
}

function writeImage({ source, detail, cache }: ImagePart, notCarried: NotCarried): string {
  if (detail !== null && detail !== 'auto') notCarried('messages[].content[].image_url.detail');
  return `{"type":"image","source":${writeSource(source)}${writeCache(cache)}}`;
}

function writeDocument({ source, title, cache }: DocumentPart): string {
  const titled = title === null ? '' : `,"title":${JSON.stringify(title)}`;
  return `{"type":"document","source":${writeDocumentSource(source)}${titled}${writeCache(cache)}}`;
}

function writeDocumentSource(source: DocumentPart['source']): string {
  if (source.kind === 'text') return JSON.stringify({ type: 'text', media_type: 'text/plain', data: source.text });
  // Only PDF is taken as bytes; a text is taken as text.
  if (source.kind === 'base64' && source.mediaType.startsWith('text/')) {
    return JSON.stringify({ type: 'text', media_type: 'text/plain', data: Buffer.from(source.data, 'base64').toString('utf8') });
  }
  return writeSource(source);
}

function writeSource(source: Source): string {
  if (source.kind === 'url') return JSON.stringify({ type: 'url', url: source.url });
  if (source.kind === 'file') return JSON.stringify({ type: 'file', file_id: source.id });
  return JSON.stringify({ type: 'base64', media_type: source.mediaType, data: source.data });
}

function writeToolResult({ callId, parts, isError, cache }: ToolResultPart, notCarried: NotCarried): string {
  const blocks = parts.map((part) => writeUserPart(part, notCarried)).filter((block) => block !== null);
  const content = blocks.length === 0 ? '' : `,"content":[${blocks.join(',')}]`;
  return `{"type":"tool_result","tool_use_id":${writeCallId(callId)}${content}${isError ? ',"is_error":true' : ''}${writeCache(cache)}}`;
}

/** The arguments as they are, so that numbers keep their digits. A model may have written what is no JSON; Anthropic takes nothing but an object. */
function writeInput(input: string, notCarried: NotCarried): string {
  try {
    if (isFields(JSON.parse(input))) return input;
  } catch {
    // It is told below.
  }
  notCarried('messages[].tool_calls[].function.arguments');
  return JSON.stringify({ arguments: input });
}

function writeCallId(callId: string): string {
  return JSON.stringify(callId.replaceAll(NOT_IN_CALL_ID, '_'));
}
