/**
 * How a provider is spoken to: which folder of `services/proxy/providers` reads and writes what goes over the wire.
 * `openai` is OpenAI and every server that is compatible with it, by its base URL.
 */
export const PROVIDER_PROTOCOLS = [
  'openai',
  'anthropic',
  'azure-openai',
  'bedrock',
  'cohere',
  'deepseek',
  'fireworks',
  'gemini',
  'groq',
  'huggingface',
  'mistral',
  'ollama',
  'openrouter',
  'perplexity',
  'together',
  'vertex',
  'xai',
] as const;
export type ProviderProtocol = (typeof PROVIDER_PROTOCOLS)[number];

/** Those whose address is another for everybody: it has to be named. */
export const UNADDRESSED_PROTOCOLS = ['openai', 'azure-openai', 'bedrock', 'vertex'] as const satisfies readonly ProviderProtocol[];
export type UnaddressedProtocol = (typeof UNADDRESSED_PROTOCOLS)[number];
