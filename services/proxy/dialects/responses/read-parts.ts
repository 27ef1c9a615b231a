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
import type { RequestFields } from '../request-fields.ts';

/** By the ending of its name, the type of a file whose data do not say it. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
};

export function readUserParts(message: RequestFields): readonly UserPart[] {
  return partsOf(message, 'content', (part, type) => {
    if (type === 'input_audio') return readAudio(part);
    return readShown(part, type);
  });
}

/** What a tool gave back: a text, or parts as in a message. */
export function readResultParts(item: RequestFields): ToolResultPart['parts'] {
  return partsOf(item, 'output', readShown);
}

export function readInstructionParts(message: RequestFields): readonly TextPart[] {
  return partsOf(message, 'content', (part, type) => (isText(type) ? readText(part) : null));
}

export function readAssistantParts(message: RequestFields): readonly AssistantPart[] {
  return partsOf<AssistantPart>(message, 'content', (part, type) => {
    if (type === 'refusal') return { kind: 'refusal', text: part.neededText('refusal') };
    return isText(type) ? readText(part) : null;
  });
}

/** A text alone stands for one part. @param read null: there is no such part in it. */
function partsOf<Part>(
  item: RequestFields,
  name: string,
  read: (part: RequestFields, type: string) => Part | null,
): readonly (Part | TextPart)[] {
  const content = item.value(name);
  if (content === null) throw item.missing(name);
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content, cache: null }];
  return item.objects(name).map((part) => {
    const type = part.neededText('type');
    const made = read(part, type);
    if (made === null) throw part.invalid('type', `a part of type '${type}' cannot stand here`);
    return made;
  });
}

function isText(type: string): boolean {
  return type === 'input_text' || type === 'output_text' || type === 'text';
}

function readShown(part: RequestFields, type: string): TextPart | ImagePart | DocumentPart | null {
  if (isText(type)) return readText(part);
  if (type === 'input_image') return readImage(part);
  return type === 'input_file' ? readFile(part) : null;
}

function readText(part: RequestFields): TextPart {
  // They are about an answer that was given.
  part.passOver('annotations', 'logprobs');
  return { kind: 'text', text: part.neededText('text'), cache: cacheOf(part) };
}

function readImage(part: RequestFields): ImagePart {
  const url = part.text('image_url');
  const fileId = part.text('file_id');
  if (url === null && fileId === null) throw part.missing('image_url');
  const source: Source = url === null ? { kind: 'file', id: fileId ?? '' } : sourceOf(url, null);
  return { kind: 'image', source, detail: part.text('detail'), cache: cacheOf(part) };
}

function readFile(part: RequestFields): DocumentPart {
  const title = part.text('filename');
  const data = part.text('file_data');
  const url = part.text('file_url');
  const id = part.text('file_id');
  const cache = cacheOf(part);
  if (url !== null) return { kind: 'document', source: sourceOf(url, null), title, cache };
  if (id !== null) return { kind: 'document', source: { kind: 'file', id }, title, cache };
  if (data === null) throw part.missing('file_data');
  const mediaType = MEDIA_TYPES[title?.slice(title.lastIndexOf('.') + 1).toLowerCase() ?? ''] ?? null;
  if (!data.startsWith('data:') && mediaType === null)
    throw part.invalid('file_data', 'must be a data URL, or `filename` must end with its type');
  return {
    kind: 'document',
    source: sourceOf(data.startsWith('data:') ? data : `data:${mediaType};base64,${data}`, mediaType),
    title,
    cache,
  };
}

function readAudio(part: RequestFields): UserPart {
  const audio = part.neededObject('input_audio');
  return { kind: 'audio', data: audio.neededText('data'), format: audio.neededText('format') };
}

function cacheOf(part: RequestFields): CacheMark | null {
  const breakpoint = part.object('prompt_cache_breakpoint');
  // Another there is not. How long OpenAI would keep it, others cannot be told.
  breakpoint?.passOver('mode');
  return breakpoint === null ? null : { ttl: null };
}

function sourceOf(url: string, mediaType: string | null): Source {
  const data = /^data:([^;,]+)[^,]*;base64,/.exec(url);
  if (data === null) return { kind: 'url', url, mediaType };
  return { kind: 'base64', mediaType: data[1] ?? '', data: url.slice(data[0].length) };
}
