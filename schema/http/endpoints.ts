import type { ProviderProtocol } from '../values/provider-protocol.ts';
import { PROVIDER_PROTOCOLS } from '../values/provider-protocol.ts';
import { TRANSCRIPTIONS, TRANSLATIONS } from './audio.ts';
import { BATCHES } from './batches.ts';
import { CHAT_COMPLETIONS } from './chat-completions.ts';
import { COMPLETIONS } from './completions.ts';
import { COUNT_CONTENT_TOKENS } from './count-content-tokens.ts';
import { EMBED_CONTENT } from './embed-content.ts';
import { EMBEDDINGS } from './embeddings.ts';
import { FILES } from './files.ts';
import { GENERATE_CONTENT } from './generate-content.ts';
import { IMAGE_EDITS, IMAGE_GENERATIONS } from './images.ts';
import { COUNT_TOKENS, MESSAGES } from './messages.ts';
import { MODELS } from './models.ts';
import { MODERATIONS } from './moderations.ts';
import { PASS_THROUGH } from './pass-through.ts';
import { RERANK } from './rerank.ts';
import { RESPONSES } from './responses.ts';
import { SPEECH } from './speech.ts';

/** The endpoints that providers answer, by POST at least. */
export const PROVIDER_ENDPOINTS = [
  CHAT_COMPLETIONS,
  RESPONSES,
  COMPLETIONS,
  EMBEDDINGS,
  RERANK,
  MODERATIONS,
  IMAGE_GENERATIONS,
  IMAGE_EDITS,
  SPEECH,
  MESSAGES,
  COUNT_TOKENS,
  GENERATE_CONTENT,
  COUNT_CONTENT_TOKENS,
  EMBED_CONTENT,
  TRANSCRIPTIONS,
  TRANSLATIONS,
  FILES,
  BATCHES,
] as const;

/** The endpoints of the proxy, as keys are allowed them and entries name them; what lies below a path belongs to it. */
export const ENDPOINTS = [...PROVIDER_ENDPOINTS, MODELS, PASS_THROUGH] as const;

/** Whether a text names an endpoint. */
export function isEndpoint(text: string): boolean {
  return ENDPOINTS.some((endpoint) => endpoint === text);
}

/** Who serves which endpoint; `test/services/proxy/providers/registry.test.ts` holds the proxy to it. */
const SERVED_BY: Readonly<Record<(typeof PROVIDER_ENDPOINTS)[number], readonly ProviderProtocol[]>> = {
  [CHAT_COMPLETIONS]: PROVIDER_PROTOCOLS,
  [RESPONSES]: PROVIDER_PROTOCOLS,
  [COMPLETIONS]: ['openai', 'azure-openai', 'fireworks', 'huggingface', 'ollama', 'openrouter', 'together'],
  [EMBEDDINGS]: [
    'openai',
    'azure-openai',
    'bedrock',
    'cohere',
    'fireworks',
    'gemini',
    'huggingface',
    'mistral',
    'ollama',
    'openrouter',
    'together',
    'vertex',
  ],
  [RERANK]: ['openai', 'cohere', 'fireworks', 'openrouter', 'together'],
  // Whoever else has them bills them, and does not say how much.
  [MODERATIONS]: ['openai'],
  [IMAGE_GENERATIONS]: ['openai', 'azure-openai', 'together', 'xai'],
  [IMAGE_EDITS]: ['openai', 'azure-openai'],
  [SPEECH]: ['openai', 'azure-openai', 'groq', 'together'],
  [MESSAGES]: PROVIDER_PROTOCOLS,
  [COUNT_TOKENS]: ['anthropic', 'bedrock', 'vertex'],
  [GENERATE_CONTENT]: PROVIDER_PROTOCOLS,
  [COUNT_CONTENT_TOKENS]: ['gemini', 'vertex'],
  [EMBED_CONTENT]: ['gemini'],
  [TRANSCRIPTIONS]: ['openai', 'azure-openai', 'groq', 'mistral', 'together'],
  [TRANSLATIONS]: ['openai', 'azure-openai', 'groq', 'together'],
  [FILES]: ['openai', 'azure-openai', 'groq'],
  [BATCHES]: ['openai', 'azure-openai', 'groq'],
};

/** Whether providers of a protocol serve an endpoint; false too for what is none. */
export function servesEndpoint(protocol: ProviderProtocol, endpoint: string): boolean {
  const served = PROVIDER_ENDPOINTS.find((path) => path === endpoint);
  return served !== undefined && SERVED_BY[served].includes(protocol);
}
