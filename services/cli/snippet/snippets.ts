import { batches } from './endpoints/batches.ts';
import { chatCompletions, chatCompletionsStream } from './endpoints/chat-completions.ts';
import { completions } from './endpoints/completions.ts';
import { countContentTokens } from './endpoints/count-content-tokens.ts';
import { countTokens } from './endpoints/count-tokens.ts';
import { embedContent } from './endpoints/embed-content.ts';
import { embeddings } from './endpoints/embeddings.ts';
import { files } from './endpoints/files.ts';
import { generateContent, generateContentStream } from './endpoints/generate-content.ts';
import { imageEdits } from './endpoints/image-edits.ts';
import { imageGenerations } from './endpoints/image-generations.ts';
import { messagesStream, messagesWhole } from './endpoints/messages.ts';
import { models } from './endpoints/models.ts';
import { moderations } from './endpoints/moderations.ts';
import { passThrough } from './endpoints/pass-through.ts';
import { rerank } from './endpoints/rerank.ts';
import { responses, responsesStream } from './endpoints/responses.ts';
import { speech } from './endpoints/speech.ts';
import { transcriptions, translations } from './endpoints/transcriptions.ts';
import type { Snippet } from './snippet.ts';

/** What can be asked for, one and all: `test/services/cli/snippet/snippets.test.ts` holds that no endpoint is missing. */
export const SNIPPETS: readonly Snippet[] = [
  chatCompletions,
  chatCompletionsStream,
  responses,
  responsesStream,
  completions,
  embeddings,
  rerank,
  messagesWhole,
  messagesStream,
  countTokens,
  generateContent,
  generateContentStream,
  countContentTokens,
  embedContent,
  moderations,
  imageGenerations,
  imageEdits,
  speech,
  transcriptions,
  translations,
  files,
  batches,
  models,
  passThrough,
];

/** By its name, else the first of an endpoint. */
export function findSnippet(text: string): Snippet | null {
  return SNIPPETS.find(({ name }) => name === text) ?? SNIPPETS.find(({ endpoint }) => endpoint === text) ?? null;
}
