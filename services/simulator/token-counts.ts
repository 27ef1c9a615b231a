/**
 * Tokens as OpenAI's chat API counts them: cached, written to the cache and audio input lie inside the prompt,
 * reasoning and audio output inside the completion. Whole numbers; null where the provider leaves the field out.
 */
export type TokenCounts = {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number | null;
  readonly audioInputTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  readonly audioOutputTokens: number;
};

/** What a client was told of the counts: null where the provider's usage has no such number. */
export type ToldCounts = { readonly [Name in keyof TokenCounts]: number | null };

/** Of what is billed by no token at all, and where others begin. */
export const noTokens: TokenCounts = {
  promptTokens: 0,
  cachedTokens: 0,
  cacheWriteTokens: null,
  audioInputTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  audioOutputTokens: 0,
};

const nothingTold: ToldCounts = {
  promptTokens: null,
  cachedTokens: null,
  cacheWriteTokens: null,
  audioInputTokens: null,
  completionTokens: null,
  reasoningTokens: null,
  audioOutputTokens: null,
};

/** These of the counts, and null for all others. */
export function toldCounts(counts: TokenCounts, names: readonly (keyof TokenCounts)[]): ToldCounts {
  return { ...nothingTold, ...Object.fromEntries(names.map((name) => [name, counts[name]])) };
}

/** OpenAI's `usage` object as JSON. */
export function usageJson(counts: TokenCounts): string {
  const cacheWrite = counts.cacheWriteTokens === null ? '' : `,"cache_write_tokens":${counts.cacheWriteTokens}`;
  return (
    `{"prompt_tokens":${counts.promptTokens},"completion_tokens":${counts.completionTokens},` +
    `"total_tokens":${counts.promptTokens + counts.completionTokens},` +
    `"prompt_tokens_details":{"cached_tokens":${counts.cachedTokens},"audio_tokens":${counts.audioInputTokens}${cacheWrite}},` +
    `"completion_tokens_details":{"reasoning_tokens":${counts.reasoningTokens},"audio_tokens":${counts.audioOutputTokens},` +
    '"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}'
  );
}

/** Completion tokens that can be seen in the answer. */
export function visibleTokensOf(counts: TokenCounts): number {
  return counts.completionTokens - counts.reasoningTokens - counts.audioOutputTokens;
}

/**
 * What is billed of an answer that broke off: nothing before its first token; from then on the prompt, the hidden reasoning and the audio
 * whole, and of the visible answer the tokens that were generated. Null where nothing was generated.
 */
export function generatedPart(whole: TokenCounts, visibleTokens: number): TokenCounts | null {
  if (visibleTokens <= 0) return null;
  const hidden = whole.reasoningTokens + whole.audioOutputTokens;
  return { ...whole, completionTokens: Math.min(whole.completionTokens, hidden + visibleTokens) };
}

/** Splits text into pieces of at most twelve characters, none across a blank: one piece is one token. At most `limit` pieces. */
export function splitIntoTokens(text: string, limit: number): readonly string[] {
  const pieces: string[] = [];
  for (const match of text.matchAll(/\s*\S{1,12}|\s+$/gu)) {
    if (pieces.length >= limit) break;
    pieces.push(match[0]);
  }
  return pieces;
}

/** Prompt tokens of a text: four bytes a token, rounded up. Cheap, and the same everywhere. */
export function promptTokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}
