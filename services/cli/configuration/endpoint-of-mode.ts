import { TRANSCRIPTIONS } from '../../../schema/http/audio.ts';
import { CHAT_COMPLETIONS } from '../../../schema/http/chat-completions.ts';
import { COMPLETIONS } from '../../../schema/http/completions.ts';
import { EMBEDDINGS } from '../../../schema/http/embeddings.ts';
import { IMAGE_EDITS, IMAGE_GENERATIONS } from '../../../schema/http/images.ts';
import { RERANK } from '../../../schema/http/rerank.ts';
import { RESPONSES } from '../../../schema/http/responses.ts';
import { SPEECH } from '../../../schema/http/speech.ts';
import type { CatalogueMode } from '../../pricing/catalogue.ts';

/** By which endpoint models of a kind are asked. A provider that does not serve it has none of them to offer. */
export const ENDPOINT_OF_MODE: Readonly<Record<CatalogueMode, string>> = {
  chat: CHAT_COMPLETIONS,
  responses: RESPONSES,
  completion: COMPLETIONS,
  embedding: EMBEDDINGS,
  rerank: RERANK,
  image_generation: IMAGE_GENERATIONS,
  image_edit: IMAGE_EDITS,
  audio_speech: SPEECH,
  audio_transcription: TRANSCRIPTIONS,
};
