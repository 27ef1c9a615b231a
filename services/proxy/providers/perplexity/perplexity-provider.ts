import { openaiDialect } from '../openai/openai-dialect.ts';
import type { Provider } from '../provider.ts';
import { perplexityCost } from './usage.ts';

/** Perplexity: it reports what it charges, the fee for its search included. */
export const perplexityProvider: Provider = openaiDialect('perplexity', { readCost: perplexityCost });
