import type { AudioPart, DocumentPart, ImagePart } from '../../conversation/conversation.ts';
import type { RequestFields } from '../request-fields.ts';

/** Where only who has the credential of a Google account can read. */
const AT_GOOGLE = /^(?:gs:|files\/|https:\/\/generativelanguage\.googleapis\.com\/)/i;
/** The names that OpenAI has for formats of sound, where they are others than those after `audio/`. */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ['mpeg', 'mp3'],
  ['wave', 'wav'],
]);

/** What a part shows or lets hear; null: it does neither. @throws {GatewayError} for what no other dialect has a place for: videos, and files at Google. */
export function readMedia(part: RequestFields): ImagePart | AudioPart | DocumentPart | null {
  const inline = part.object('inlineData');
  if (inline !== null) return readBytes(inline);
  const file = part.object('fileData');
  return file === null ? null : readFile(file);
}

function readBytes(inline: RequestFields): ImagePart | AudioPart | DocumentPart {
  const mediaType = readMediaType(inline);
  const data = standardBase64(inline.neededText('data'));
  if (mediaType.startsWith('audio/')) {
    return { kind: 'audio', data, format: formatOf(mediaType) };
  }
  if (mediaType.startsWith('image/')) {
    return { kind: 'image', source: { kind: 'base64', mediaType, data }, detail: null, cache: null };
  }
  const title = inline.text('displayName');
  const source: DocumentPart['source'] = mediaType.startsWith('text/')
    ? { kind: 'text', text: Buffer.from(data, 'base64').toString('utf8') }
    : { kind: 'base64', mediaType, data };
  return { kind: 'document', source, title, cache: null };
}

function readFile(file: RequestFields): ImagePart | DocumentPart {
  const url = file.neededText('fileUri');
  if (AT_GOOGLE.test(url)) {
    throw file.invalid('fileUri', "is at Google, where the provider of this model cannot read it: send the file's bytes in `inlineData`");
  }
  const mediaType = readMediaType(file);
  if (mediaType.startsWith('audio/')) throw file.invalid('fileUri', 'must not be a sound: send its bytes in `inlineData`');
  const source = { kind: 'url', url, mediaType } as const;
  if (mediaType.startsWith('image/')) {
    return { kind: 'image', source, detail: null, cache: null };
  }
  const title = file.text('displayName');
  return { kind: 'document', source, title, cache: null };
}

/** Without its parameters, in lower case. */
function readMediaType(data: RequestFields): string {
  const mediaType = (data.neededText('mimeType').split(';', 1)[0] ?? '').trim().toLowerCase();
  if (mediaType.startsWith('video/')) throw data.invalid('mimeType', 'must not be a video, which the provider of this model does not take');
  return mediaType;
}

function formatOf(mediaType: string): string {
  const name = mediaType.slice('audio/'.length).replace(/^x-/, '');
  return FORMATS.get(name) ?? name;
}

/** Google takes both alphabets, and its client for Python sends the other one. */
function standardBase64(data: string): string {
  return /[-_]/.test(data) ? data.replaceAll('-', '+').replaceAll('_', '/') : data;
}
