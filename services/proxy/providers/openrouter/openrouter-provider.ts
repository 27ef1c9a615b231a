import { openaiDialect } from '../openai/openai-dialect.ts';
import type { Provider } from '../provider.ts';
import { openrouterMeaning } from './failure.ts';
import { openrouterCost } from './usage.ts';

/** OpenRouter: it reports what it charges, and refuses flagged content in its own way. */
export const openrouterProvider: Provider = openaiDialect('openrouter', {
  serves: ['responses', 'completions', 'embeddings', 'rerank'],
  readCost: openrouterCost,
  meaningOf: openrouterMeaning,
});
