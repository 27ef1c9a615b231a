import { GatewayError } from '../../../../schema/errors.ts';
import { parseExactJson } from '../../body/exact-json.ts';
import type { Fields } from '../../body/json-fields.ts';
import type {
  AssistantPart,
  AudioPart,
  DocumentPart,
  ImagePart,
  Source,
  TextPart,
  ToolResultPart,
  UserPart,
} from '../../conversation/conversation.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import type { CachePlace, CachePoints } from './cache-points.ts';
import type { DocumentNames } from './media.ts';
import { documentFormatOf, imageFormatOf } from './media.ts';

/** What a message is written with. */
export interface Writing {
  readonly names: DocumentNames;
  readonly points: CachePoints;
  readonly notCarried: NotCarried;
}

/** Text with its mark; nothing for what Bedrock refuses because it says nothing. @param place of the mark: that of a text, where the message has no others. */
export function writeText({ text, cache }: TextPart, { points }: Pick<Writing, 'points'>, place: CachePlace = 'text'): Fields[] {
  return text.trim() === '' ? [] : [{ text }, ...points.behind(place, cache)];
}

/** What the user said, or tools gave. @throws {GatewayError} for what Converse cannot be given: a question without it is another question. */
export function writeUserParts(parts: readonly UserPart[], writing: Writing): Fields[] {
  // A mark in a message with results is behind them, too.
  const place = parts.some(({ kind }) => kind === 'tool_result') ? 'other' : 'text';
  return parts.flatMap((part) => writeUserPart(part, writing, place));
}

function writeUserPart(part: UserPart, writing: Writing, place: CachePlace): Fields[] {
  switch (part.kind) {
    case 'text':
      return writeText(part, writing, place);
    case 'image':
      return writeImage(part, writing);
    case 'document':
      return writeDocument(part, writing);
    case 'audio':
      return [writeAudio(part)];
    case 'tool_result':
      return [writeToolResult(part, writing), ...writing.points.behind('other', part.cache)];
  }
}

export function writeAssistantPart(part: AssistantPart, { points, notCarried }: Writing): Fields[] {
  switch (part.kind) {
    case 'text':
      return writeText(part, { points }, 'other');
    case 'refusal':
      return writeText({ kind: 'text', text: part.text, cache: null }, { points });
    case 'thinking':
      if (part.signature === null) {
        // Nobody but the model can sign it, and Claude is refused what is not signed.
        notCarried('messages[].thinking');
        return [];
      }
      return [{ reasoningContent: { reasoningText: { text: part.text, signature: part.signature } } }];
    case 'redacted_thinking':
      return [{ reasoningContent: { redactedContent: part.data } }];
    case 'tool_call':
      if (part.signature !== null) notCarried('messages[].tool_calls[].signature');
      return [
        { toolUse: { toolUseId: part.callId, name: part.name, input: parseExactJson(part.input) } },
        ...points.behind('other', part.cache),
      ];
  }
}

function writeToolResult({ callId, parts, isError }: ToolResultPart, writing: Writing): Fields {
  const content = parts.flatMap((part) => {
    // Marks inside of a result have no place of their own.
    if (part.cache !== null) writing.notCarried('cache_control');
    return writeUserPart({ ...part, cache: null }, writing, 'other');
  });
  return { toolResult: { toolUseId: callId, content, status: isError ? 'error' : 'success' } };
}

function writeImage({ source, detail, cache }: ImagePart, { points, notCarried }: Writing): Fields[] {
  if (detail !== null && detail !== 'auto') notCarried('messages[].content[].image_url.detail');
  const image = { format: formatOf(source, imageFormatOf, 'image'), source: writeSource(source, 'image') };
  return [{ image }, ...points.behind('other', cache)];
}

function writeDocument({ source, title, cache }: DocumentPart, { names, points }: Writing): Fields[] {
  const written =
    source.kind === 'text'
      ? { format: 'txt', source: { bytes: Buffer.from(source.text, 'utf8').toString('base64') } }
      : { format: formatOf(source, documentFormatOf, 'document'), source: writeSource(source, 'document') };
  return [{ document: { ...written, name: names.nameFor(title) } }, ...points.behind('other', cache)];
}

function writeAudio({ data, format }: AudioPart): Fields {
  return { audio: { format, source: { bytes: data } } };
}

/** Where the bytes are: Bedrock fetches from S3 alone. */
function writeSource(source: Source, what: string): Fields {
  if (source.kind === 'base64') return { bytes: source.data };
  if (source.kind === 'url' && source.url.startsWith('s3://')) return { s3Location: { uri: source.url } };
  throw refused(`Bedrock takes a ${what} as base64 or from \`s3://\`, not by its address or the id of a file.`);
}

function formatOf(source: Source, formatOfType: (mediaType: string) => string | null, what: string): string {
  if (source.kind === 'file') return '';
  const format = source.kind === 'url' && source.mediaType === null ? endingOf(source.url) : formatOfType(source.mediaType ?? '');
  if (format === null) throw refused(`Bedrock takes no ${what} of that type.`);
  return format;
}

/** `s3://bucket/picture.png` tells its format by its name alone. */
function endingOf(url: string): string {
  const ending = url.slice(url.lastIndexOf('.') + 1).toLowerCase();
  return ending === 'jpg' ? 'jpeg' : ending;
}

function refused(message: string): GatewayError {
  return new GatewayError('invalid_request', { message, param: 'messages' });
}
