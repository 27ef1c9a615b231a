import { openaiProvider } from './openai/openai-provider.ts';
import type { Provider } from './provider.ts';

/** Every dialect the proxy speaks: the only list. */
export const PROVIDERS: Readonly<Record<Provider['protocol'], Provider>> = { openai: openaiProvider };
