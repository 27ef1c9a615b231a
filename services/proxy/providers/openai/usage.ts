import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields } from '../../body/json-fields.ts';
import { count, flag, Whole } from '../usage-counts.ts';

/** Usage in disjoint classes, and what was odd about it. */
export interface NormalizedUsage {
  /** Null when neither side was reported. */
  readonly usage: TokenUsage | null;
  readonly flags: readonly string[];
}

/** What a usage object says the provider charges, in pico-USD; null where it says nothing. */
export type ReadCost = (usage: Fields) => bigint | null;

/**
 * Disjoint token classes of an OpenAI-shaped usage object (providers.md 2.2). `cached`, `cache_write`, `audio` and `image`
 * are inside the prompt, `reasoning`, `audio` and `image` inside the completion; they are taken out of it.
 *
 * Told apart by the numbers, not by the provider's name, since routers forward anyone's:
 * - reasoning lies outside the completion where only then the provider's total adds up (xAI's chat API);
 * - cached tokens stand in the details, as `cached_tokens` (Together), `num_cached_tokens` (Mistral) or
 *   `prompt_cache_hit_tokens` (DeepSeek); the same number may stand in several places and counts once;
 * - a part larger than its whole (Azure's Grok, OpenRouter) is cut to it and flagged `class_clamped`;
 * - a total that is not the sum of the classes is flagged `total_mismatch`; a count that is none, `usage_invalid`.
 * Missing is null and never 0; an explicit 0 stays.
 */
export function normalizeUsage(raw: Fields): NormalizedUsage {
  const flags: string[] = [];
  const promptDetails = fieldsOf(raw.prompt_tokens_details);
  const completionDetails = fieldsOf(raw.completion_tokens_details);

  const prompt = count(raw.prompt_tokens, flags);
  const completion = count(raw.completion_tokens, flags);
  const total = count(raw.total_tokens, flags);
  if (prompt === null && completion === null) return { usage: null, flags: [...flags, 'usage_missing'] };
  if (prompt === null || completion === null) flag(flags, 'usage_partial');

  const cacheRead =
    count(promptDetails.cached_tokens, flags) ??
    count(raw.cached_tokens, flags) ??
    count(raw.num_cached_tokens, flags) ??
    count(raw.prompt_cache_hit_tokens, flags);
  const cacheWrite = count(promptDetails.cache_write_tokens, flags) ?? count(raw.cache_write_tokens, flags);
  const inputAudio = count(promptDetails.audio_tokens, flags);
  const inputImage = count(promptDetails.image_tokens, flags);
  const reasoning = count(completionDetails.reasoning_tokens, flags) ?? count(raw.reasoning_tokens, flags);
  const outputAudio = count(completionDetails.audio_tokens, flags);
  const outputImage = count(completionDetails.image_tokens, flags);

  const sides = (prompt ?? 0) + (completion ?? 0);
  const reasoningOutside = reasoning !== null && reasoning > 0 && total === sides + reasoning;
  const input = new Whole(prompt, flags);
  const output = new Whole(reasoningOutside ? (completion ?? 0) + reasoning : completion, flags);
  const usage = {
    input: null as number | null,
    cacheRead: input.take(cacheRead),
    cacheWrite5m: input.take(cacheWrite),
    cacheWrite1h: null,
    inputAudio: input.take(inputAudio),
    inputImage: input.take(inputImage),
    output: null as number | null,
    reasoning: output.take(reasoning),
    outputAudio: output.take(outputAudio),
    outputImage: output.take(outputImage),
  };
  usage.input = input.rest;
  usage.output = output.rest;
  if (total !== null && total !== sides + (reasoningOutside ? reasoning : 0)) flag(flags, 'total_mismatch');
  return { usage, flags };
}

const NO_FIELDS: Fields = {};

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : NO_FIELDS;
}
