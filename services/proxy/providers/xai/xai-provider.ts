import { openaiDialect } from '../openai/openai-dialect.ts';
import type { Provider } from '../provider.ts';
import { xaiMeaning } from './failure.ts';
import { xaiCost } from './usage.ts';

/** xAI: it reports what it charges, and refuses a wrong credential with 400. */
export const xaiProvider: Provider = openaiDialect('xai', {
  serves: ['responses', 'imageGenerations'],
  readCost: xaiCost,
  meaningOf: xaiMeaning,
});
