import type { ProviderProtocol } from '../../../schema/values/provider-protocol.ts';
import { anthropicProvider } from './anthropic/anthropic-provider.ts';
import { azureOpenaiProvider } from './azure-openai/azure-openai-provider.ts';
import { bedrockProvider } from './bedrock/bedrock-provider.ts';
import { cohereProvider } from './cohere/cohere-provider.ts';
import { geminiProvider } from './gemini/gemini-provider.ts';
import { mistralProvider } from './mistral/mistral-provider.ts';
import { ollamaProvider } from './ollama/ollama-provider.ts';
import { openaiDialect, sameEndpoint } from './openai/openai-dialect.ts';
import { openrouterProvider } from './openrouter/openrouter-provider.ts';
import { perplexityProvider } from './perplexity/perplexity-provider.ts';
import type { Provider } from './provider.ts';
import { vertexProvider } from './vertex/vertex-provider.ts';
import { xaiProvider } from './xai/xai-provider.ts';

/** Every provider the proxy speaks to: the only list. Whoever has no folder does nothing in a way of its own. */
export const PROVIDERS: Readonly<Record<ProviderProtocol, Provider>> = {
  openai: openaiDialect('openai', {
    serves: [
      'responses',
      'completions',
      'embeddings',
      'rerank',
      'moderations',
      'imageGenerations',
      'imageEdits',
      'speech',
      'transcriptions',
      'translations',
    ],
    accountPath: sameEndpoint,
  }),
  anthropic: anthropicProvider,
  'azure-openai': azureOpenaiProvider,
  bedrock: bedrockProvider,
  cohere: cohereProvider,
  deepseek: openaiDialect('deepseek'),
  fireworks: openaiDialect('fireworks', { serves: ['completions', 'embeddings', 'rerank'] }),
  gemini: geminiProvider,
  groq: openaiDialect('groq', { serves: ['responses', 'speech', 'transcriptions', 'translations'], accountPath: sameEndpoint }),
  huggingface: openaiDialect('huggingface', { serves: ['completions', 'embeddings'] }),
  mistral: mistralProvider,
  ollama: ollamaProvider,
  openrouter: openrouterProvider,
  perplexity: perplexityProvider,
  together: openaiDialect('together', {
    serves: ['completions', 'embeddings', 'rerank', 'imageGenerations', 'speech', 'transcriptions', 'translations'],
  }),
  vertex: vertexProvider,
  xai: xaiProvider,
};
