import type { TokenUsage } from '../../../../schema/values/token-usage.ts';

/** Usage in disjoint classes, and what was odd about it. */
export interface NormalizedUsage {
  /** Null when neither side was reported. */
  readonly usage: TokenUsage | null;
  readonly flags: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Whether a parsed value is an object whose members can be looked at. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text that is not empty, or null. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

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
  const flags = new Set<string>();
  const count = (value: unknown): number | null => {
    if (value === undefined || value === null) return null;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    flags.add('usage_invalid');
    return null;
  };
  const fields = (value: unknown): Fields => (isFields(value) ? value : {});
  const promptDetails = fields(raw.prompt_tokens_details);
  const completionDetails = fields(raw.completion_tokens_details);

  const prompt = count(raw.prompt_tokens);
  const completion = count(raw.completion_tokens);
  const total = count(raw.total_tokens);
  if (prompt === null && completion === null) return { usage: null, flags: [...flags, 'usage_missing'] };
  if (prompt === null || completion === null) flags.add('usage_partial');

  const cacheRead =
    count(promptDetails.cached_tokens) ?? count(raw.cached_tokens) ?? count(raw.num_cached_tokens) ?? count(raw.prompt_cache_hit_tokens);
  const cacheWrite = count(promptDetails.cache_write_tokens) ?? count(raw.cache_write_tokens);
  const inputAudio = count(promptDetails.audio_tokens);
  const inputImage = count(promptDetails.image_tokens);
  const reasoning = count(completionDetails.reasoning_tokens) ?? count(raw.reasoning_tokens);
  const outputAudio = count(completionDetails.audio_tokens);
  const outputImage = count(completionDetails.image_tokens);

  /** Takes parts out of a whole, never more than is left of it. */
  const split = (whole: number | null, parts: readonly (number | null)[]): { rest: number | null; parts: (number | null)[] } => {
    if (whole === null) return { rest: null, parts: [...parts] };
    let rest = whole;
    const taken = parts.map((part) => {
      if (part === null) return null;
      if (part > rest) flags.add('class_clamped');
      const fitting = Math.min(part, rest);
      rest -= fitting;
      return fitting;
    });
    return { rest, parts: taken };
  };

  const input = split(prompt, [cacheRead, cacheWrite, inputAudio, inputImage]);
  const reasoningOutside = reasoning !== null && reasoning > 0 && total !== null && total === (prompt ?? 0) + (completion ?? 0) + reasoning;
  const output = split(reasoningOutside ? (completion ?? 0) + reasoning : completion, [reasoning, outputAudio, outputImage]);
  if (total !== null && total !== (prompt ?? 0) + (completion ?? 0) + (reasoningOutside ? reasoning : 0)) flags.add('total_mismatch');

  return {
    usage: {
      input: input.rest,
      cacheRead: input.parts[0] ?? null,
      cacheWrite5m: input.parts[1] ?? null,
      cacheWrite1h: null,
      inputAudio: input.parts[2] ?? null,
      inputImage: input.parts[3] ?? null,
      output: output.rest,
      reasoning: output.parts[0] ?? null,
      outputAudio: output.parts[1] ?? null,
      outputImage: output.parts[2] ?? null,
    },
    flags: [...flags],
  };
}
