import type { CacheMark, DocumentPart, ImagePart, Source, TextPart, UserPart } from '../../conversation/conversation.ts';
import type { RequestFields } from '../request-fields.ts';

const DATA_URL = /^data:([^;,]+)?(?:;[^;,]+)*;base64,/i;
/** Of a file that does not say what it is; OpenAI takes no other. */
const PDF = 'application/pdf';

/** A text, or a list of parts of which each is read; none of an empty text. @param cache mark of the whole message: of a text it is the text's. */
export function readContent<Part>(
  owner: RequestFields,
  name: string,
  cache: CacheMark | null,
  readPart: (part: RequestFields) => Part,
): (Part | TextPart)[] {
  const content = owner.value(name);
  if (content === null || content === '') return [];
  if (typeof content === 'string') return [{ kind: 'text', text: content, cache }];
  if (!Array.isArray(content)) throw owner.invalid(name, 'must be a string or an array of content parts');
  if (cache !== null) owner.drop('cache_control');
  return owner.objects(name).map((part) => readPart(part));
}

/** A part of which only text is understood. */
export function readTextPart(part: RequestFields): TextPart {
  if (part.neededText('type') !== 'text') throw part.invalid('type', 'must be "text" here');
  return readText(part);
}

/** What a user says, or a tool. */
export function readUserPart(part: RequestFields): UserPart {
  const type = part.neededText('type');
  if (type === 'input_audio') {
    const audio = part.neededObject('input_audio');
    // Of a sound no dialect keeps anything.
    if (readCacheMark(part) !== null) part.drop('cache_control');
    return { kind: 'audio', data: audio.neededText('data'), format: audio.neededText('format') };
  }
  return readResultPart(part, type);
}

/** What the result of a tool may hold. */
export function readResultPart(part: RequestFields, type: string = part.neededText('type')): TextPart | ImagePart | DocumentPart {
  if (type === 'text') return readText(part);
  if (type === 'image_url') return readImage(part);
  if (type === 'file') return readFile(part);
  throw part.invalid('type', `"${type}" is not supported`);
}

/** As LiteLLM and OpenRouter write it, after Anthropic, or as OpenAI does; of what carries no mark it is null. */
export function readCacheMark(owner: RequestFields): CacheMark | null {
  const breakpoint = owner.object('prompt_cache_breakpoint');
  breakpoint?.passOver('mode');
  const control = owner.object('cache_control');
  // How long OpenAI would keep it, others cannot be told.
  if (control === null) return breakpoint === null ? null : { ttl: null };
  // There is but one.
  control.passOver('type');
  const ttl = control.text('ttl');
  if (ttl === null || ttl === '5m' || ttl === '1h') return { ttl };
  throw control.invalid('ttl', 'must be "5m" or "1h"');
}

/** What stands behind the address of a picture or a document: its bytes, in a data URL, or where they are. */
function sourceOf(url: string, mediaType: string | null): Source {
  const data = DATA_URL.exec(url);
  if (data === null) return { kind: 'url', url, mediaType };
  return { kind: 'base64', mediaType: data[1] ?? mediaType ?? 'application/octet-stream', data: url.slice(data[0].length) };
}

function readText(part: RequestFields): TextPart {
  return { kind: 'text', text: part.neededText('text'), cache: readCacheMark(part) };
}

function readImage(part: RequestFields): ImagePart {
  const cache = readCacheMark(part);
  const bare = part.value('image_url');
  if (typeof bare === 'string') return { kind: 'image', source: sourceOf(bare, null), detail: null, cache };
  const image = part.neededObject('image_url');
  return { kind: 'image', source: sourceOf(image.neededText('url'), image.text('format')), detail: image.text('detail'), cache };
}

/** `file_data` is a data URL, bare base64, or for OpenRouter's clients an address; `file_id` may be one for LiteLLM's. */
function readFile(part: RequestFields): DocumentPart {
  const file = part.neededObject('file');
  const data = file.text('file_data');
  const id = file.text('file_id');
  const mediaType = file.text('format');
  const title = file.text('filename');
  const cache = readCacheMark(part);
  if (data !== null) {
    const source: Source =
      isAddress(data) || DATA_URL.test(data) ? sourceOf(data, mediaType) : { kind: 'base64', mediaType: mediaType ?? PDF, data };
    return { kind: 'document', source, title, cache };
  }
  if (id === null) throw file.missing('file_data');
  return { kind: 'document', source: isAddress(id) ? { kind: 'url', url: id, mediaType } : { kind: 'file', id }, title, cache };
}

function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}
