import { transcriptions, translations } from './audio-texts.ts';
import { chatCompletions } from './chat-completions.ts';
import { completions } from './completions.ts';
import { countContentTokens } from './count-content-tokens.ts';
import { embedContent } from './embed-content.ts';
import { embeddings } from './embeddings.ts';
import { generateContent } from './generate-content.ts';
import { imageEdits } from './image-edits.ts';
import { imageGenerations } from './image-generations.ts';
import { countTokens, messages } from './messages.ts';
import { moderations } from './moderations.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';
import { rerank } from './rerank.ts';
import { responses } from './responses.ts';
import type { CallingOptions } from './serve-provider-endpoint.ts';
import { serveProviderEndpoint } from './serve-provider-endpoint.ts';
import type { ServedEndpoint } from './served-endpoint.ts';
import { speech } from './speech.ts';

/** Every endpoint that a provider answers: the only list. */
export function providerEndpoints(options: CallingOptions): readonly ServedEndpoint[] {
  const served = <Request>(endpoint: ProviderEndpoint<Request>): ServedEndpoint => ({
    path: endpoint.path,
    paths: [endpoint.path, ...(endpoint.alsoAt ?? [])],
    errors: endpoint.errors,
    body: endpoint.body ?? 'json',
    serve: serveProviderEndpoint(endpoint, options),
  });
  return [
    served(chatCompletions),
    served(responses),
    served(completions),
    served(embeddings),
    served(rerank),
    served(moderations),
    served(imageGenerations),
    served(imageEdits),
    served(speech),
    served(messages),
    served(countTokens),
    served(generateContent),
    served(countContentTokens),
    served(embedContent),
    served(transcriptions),
    served(translations),
  ];
}
