import type { DocumentPart } from '../../conversation/conversation.ts';
import type { SaidPart } from '../openai/translated/chat-habits.ts';

/** Sounds and documents as Mistral takes them, which is not as OpenAI does; null for what it takes as OpenAI. */
export function mistralPart(part: SaidPart): object | null {
  // What kind of sound it is, Mistral hears itself.
  if (part.kind === 'audio') return { type: 'input_audio', input_audio: part.data };
  return part.kind === 'document' ? writeDocument(part) : null;
}

function writeDocument({ source, title }: DocumentPart): object | null {
  if (source.kind === 'text') return null;
  if (source.kind === 'file') return { type: 'file', file_id: source.id };
  const url = source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
  return { type: 'document_url', document_url: url, ...(title === null ? {} : { document_name: title }) };
}
