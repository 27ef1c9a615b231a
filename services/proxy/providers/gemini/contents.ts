import { GatewayError } from '../../../../schema/errors.ts';
import type {
  AssistantPart,
  AudioPart,
  DocumentPart,
  ImagePart,
  Source,
  TextPart,
  ToolResultPart,
  Turn,
  UserPart,
} from '../../conversation/conversation.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import type { GeminiModel } from './gemini-model.ts';
import { isThirdOrLater } from './gemini-model.ts';

/** The turns of a conversation as Google has them, JSON. */
export interface WrittenTurns {
  /** The parts of the instructions that stand before all else; null: there are none. */
  readonly instructions: string | null;
  readonly contents: string;
}

interface Content {
  readonly role: 'user' | 'model';
  readonly kind: 'said' | 'results';
  readonly parts: string[];
}

/**
 * What a model of the third generation is shown in place of the proof that it thought before it called, for a call another model made or an application
 * did not keep the proof of: without any it refuses (Google's documentation of thought signatures names this text).
 */
const NO_SIGNATURE = 'skip_thought_signature_validator';
const MEDIA_TYPES: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['webp', 'image/webp'],
  ['gif', 'image/gif'],
  ['heic', 'image/heic'],
  ['pdf', 'application/pdf'],
  ['txt', 'text/plain'],
  ['mp3', 'audio/mp3'],
  ['wav', 'audio/wav'],
  ['mp4', 'video/mp4'],
]);

/**
 * Writes the turns: roles are `user` and `model`, neighbors of one role are joined, results of calls stand in a content of their own and name the function
 * that was called. Instructions in the middle are said by the user. @throws {GatewayError} for a result of a call that nobody made, and for a file that
 * is at another provider.
 */
export function writeTurns(turns: readonly Turn[], model: GeminiModel, notCarried: NotCarried): WrittenTurns {
  const firstSaid = turns.findIndex(({ role }) => role !== 'instructions');
  // A conversation of instructions alone has to be said by somebody.
  const leading = firstSaid < 0 ? Math.max(turns.length - 1, 0) : firstSaid;
  const instructions = turns.slice(0, leading).flatMap((turn) => (turn.role === 'instructions' ? turn.parts : []));
  const contents: Content[] = [];
  const add = (role: Content['role'], kind: Content['kind'], part: string | null): void => {
    if (part === null) return;
    const last = contents.at(-1);
    if (last?.role === role && last.kind === kind) last.parts.push(part);
    else contents.push({ role, kind, parts: [part] });
  };
  const calledNames = new Map<string, string>();
  for (const turn of turns.slice(leading)) {
    if (turn.role === 'assistant') {
      for (const part of turn.parts) if (part.kind === 'tool_call') calledNames.set(part.callId, part.name);
      for (const part of writeModelParts(turn.parts, model, notCarried)) add('model', 'said', part);
      continue;
    }
    if (turn.role === 'instructions') notCarried('messages[].role');
    for (const part of turn.parts) {
      if (part.kind !== 'tool_result') continue;
      const name = part.toolName ?? calledNames.get(part.callId);
      if (name === undefined) {
        throw new GatewayError('invalid_request', {
          message: `No call has the id '${part.callId}', of which there is a result.`,
          param: 'messages',
        });
      }
      add('user', 'results', writeResult(part, name, model, notCarried));
    }
    for (const part of turn.parts) {
      if (part.kind !== 'tool_result') add('user', 'said', writeUserPart(part, notCarried));
      else if (!isThirdOrLater(model))
        for (const media of part.parts) if (media.kind !== 'text') add('user', 'said', writeUserPart(media, notCarried));
    }
  }
  return {
    instructions: instructions.length === 0 ? null : `[${instructions.map((part) => writeText(part, notCarried)).join(',')}]`,
    contents: `[${contents.map(({ role, parts }) => `{"role":"${role}","parts":[${parts.join(',')}]}`).join(',')}]`,
  };
}

function writeText({ text, cache }: TextPart, notCarried: NotCarried): string {
  if (cache !== null) notCarried('cache_control');
  return `{"text":${JSON.stringify(text)}}`;
}

function writeUserPart(part: Exclude<UserPart, ToolResultPart>, notCarried: NotCarried): string {
  if (part.kind === 'text') return writeText(part, notCarried);
  if (part.kind === 'audio') return writeAudio(part);
  return writeMedia(part, notCarried);
}

function writeAudio({ format, data }: AudioPart): string {
  return JSON.stringify({ inlineData: { mimeType: `audio/${format}`, data } });
}

function writeMedia(part: ImagePart | DocumentPart, notCarried: NotCarried): string {
  if (part.cache !== null) notCarried('cache_control');
  if (part.kind === 'image' && part.detail !== null && part.detail !== 'auto') notCarried('messages[].content[].image_url.detail');
  if (part.kind === 'document' && part.title !== null) notCarried('messages[].content[].file.filename');
  const { source } = part;
  return source.kind === 'text' ? JSON.stringify({ text: source.text }) : JSON.stringify(dataOf(source));
}

/** Bytes, or where they are. @throws {GatewayError} for a file that is not at Google. */
function dataOf(source: Source): Readonly<Record<string, unknown>> {
  if (source.kind === 'base64') return { inlineData: { mimeType: source.mediaType, data: source.data } };
  if (source.kind === 'url') return { fileData: { mimeType: source.mediaType ?? mediaTypeOf(source.url), fileUri: source.url } };
  if (!/^(?:https|gs):\/\//.test(source.id)) {
    const message = `The file '${source.id}' is not at Google: name it by the address that Google gave it, or send its content.`;
    throw new GatewayError('invalid_request', { message, param: 'messages' });
  }
  return { fileData: { fileUri: source.id } };
}

/** By the end of an address; undefined where it says nothing: then Google looks at the bytes. */
function mediaTypeOf(url: string): string | undefined {
  const end = /\.(\w+)(?:[?#].*)?$/.exec(url)?.[1]?.toLowerCase();
  return end === undefined ? undefined : MEDIA_TYPES.get(end);
}

/** Calls and texts, each with the proof that came with it or stands with the thinking before it. */
function writeModelParts(parts: readonly AssistantPart[], model: GeminiModel, notCarried: NotCarried): string[] {
  const written: string[] = [];
  let proof: string | null = null;
  let called = false;
  const proven = (signature: string | null): string => {
    proof = null;
    return signature === null ? '' : `,"thoughtSignature":${JSON.stringify(signature)}`;
  };
  for (const part of parts) {
    switch (part.kind) {
      case 'thinking':
        if (part.text !== '') written.push(`{"text":${JSON.stringify(part.text)},"thought":true}`);
        proof = part.signature ?? proof;
        break;
      case 'redacted_thinking':
        notCarried('messages[].thinking');
        break;
      case 'refusal':
      case 'text':
        if (part.kind === 'text' && part.cache !== null) notCarried('cache_control');
        if (part.text !== '' || proof !== null) written.push(`{"text":${JSON.stringify(part.text)}${proven(proof)}}`);
        break;
      case 'tool_call': {
        if (part.cache !== null) notCarried('cache_control');
        const call = `{"id":${JSON.stringify(part.callId)},"name":${JSON.stringify(part.name)},"args":${part.input}}`;
        // Of several calls at once the first alone is to have one.
        const missing = !called && isThirdOrLater(model) ? NO_SIGNATURE : null;
        written.push(`{"functionCall":${call}${proven(part.signature ?? proof ?? missing)}}`);
        called = true;
        break;
      }
    }
  }
  if (proof !== null) written.push(`{"text":""${proven(proof)}}`);
  return written;
}

/** Google wants an object: `output` is what the function gave, `error` why it could not. */
function writeResult({ callId, parts, isError, cache }: ToolResultPart, name: string, model: GeminiModel, notCarried: NotCarried): string {
  if (cache !== null) notCarried('cache_control');
  const text = parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
  const media = isThirdOrLater(model) ? parts.filter((part) => part.kind !== 'text').map((part) => writeMedia(part, notCarried)) : [];
  const response = JSON.stringify({ [isError ? 'error' : 'output']: text });
  const attached = media.length === 0 ? '' : `,"parts":[${media.join(',')}]`;
  return `{"functionResponse":{"id":${JSON.stringify(callId)},"name":${JSON.stringify(name)},"response":${response}${attached}}}`;
}
