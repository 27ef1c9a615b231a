import type { TokenClass, TokenUsage } from '../../../../schema/values/token-usage.ts';
import { INPUT_CLASSES, OUTPUT_CLASSES, sumClasses } from '../../../../schema/values/token-usage.ts';

/**
 * Disjoint classes as OpenAI tells them: what was cached, written to a cache or heard is part of the prompt, reasoning part of the completion. What nobody
 * reported is left out, never 0. Null where nothing was reported at all.
 */
export function writeUsage(usage: TokenUsage): Readonly<Record<string, unknown>> | null {
  const prompt = sumClasses(usage, INPUT_CLASSES);
  const completion = sumClasses(usage, OUTPUT_CLASSES);
  if (prompt === null && completion === null) return null;
  return {
    ...known('prompt_tokens', prompt),
    ...known('completion_tokens', completion),
    total_tokens: (prompt ?? 0) + (completion ?? 0),
    ...details('prompt_tokens_details', usage, PROMPT_DETAILS),
    ...details('completion_tokens_details', usage, COMPLETION_DETAILS),
  };
}

type Details = readonly (readonly [name: string, classes: readonly TokenClass[]])[];

const PROMPT_DETAILS: Details = [
  ['cached_tokens', ['cacheRead']],
  ['cache_write_tokens', ['cacheWrite5m', 'cacheWrite1h']],
  ['audio_tokens', ['inputAudio']],
  ['image_tokens', ['inputImage']],
];
const COMPLETION_DETAILS: Details = [
  ['reasoning_tokens', ['reasoning']],
  ['audio_tokens', ['outputAudio']],
  ['image_tokens', ['outputImage']],
];

function details(name: string, usage: TokenUsage, parts: Details): Readonly<Record<string, unknown>> {
  const told = parts.map(([part, classes]) => [part, sumClasses(usage, classes)] as const).filter(([, tokens]) => tokens !== null);
  return told.length === 0 ? {} : { [name]: Object.fromEntries(told) };
}

function known(name: string, tokens: number | null): Readonly<Record<string, number>> {
  return tokens === null ? {} : { [name]: tokens };
}
