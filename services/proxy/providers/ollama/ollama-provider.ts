import { openaiDialect } from '../openai/openai-dialect.ts';
import type { Provider } from '../provider.ts';
import { readOllamaUsage } from './usage.ts';

/** Ollama, by OpenAI's API; what passes through to its own is understood too. */
export const ollamaProvider: Provider = {
  ...openaiDialect('ollama', { serves: ['completions', 'embeddings'] }),
  readUsage: readOllamaUsage,
};
