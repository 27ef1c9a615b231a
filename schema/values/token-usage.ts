/**
 * Token classes are disjoint: each token is in exactly one, and they sum to what the provider counted (DESIGN.md, invariant 6).
 * Whether "cached" or "reasoning" lies inside a provider's own total is known to that provider's adapter alone.
 */
export const INPUT_CLASSES = ['input', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'inputAudio', 'inputImage'] as const;
export const OUTPUT_CLASSES = ['output', 'reasoning', 'outputAudio', 'outputImage'] as const;
export const TOKEN_CLASSES = [...INPUT_CLASSES, ...OUTPUT_CLASSES] as const;
export type TokenClass = (typeof TOKEN_CLASSES)[number];

/**
 * Tokens by class; safe integers, never negative. `null` = the provider did not report this class, which is not 0.
 * A class the provider does not split (say reasoning) stays inside its parent (`output`).
 */
export type TokenUsage = { readonly [Class in TokenClass]: number | null };

/** The part of the vector that is not tokens: what is billed by the call or by the piece. `null` = not reported. */
export type UnitUsage = { readonly searches: number | null; readonly images: number | null; readonly audioSeconds: number | null };

/** Sum of the given classes, or null when none of them is known. */
export function sumClasses(usage: TokenUsage, classes: readonly TokenClass[]): number | null {
  let sum: number | null = null;
  for (const tokenClass of classes) {
    const tokens = usage[tokenClass];
    if (tokens !== null) sum = (sum ?? 0) + tokens;
  }
  return sum;
}

/** Every class unknown. Adapters start from it and fill in what the provider said. */
export const UNKNOWN_USAGE: TokenUsage = Object.freeze({
  input: null,
  cacheRead: null,
  cacheWrite5m: null,
  cacheWrite1h: null,
  inputAudio: null,
  inputImage: null,
  output: null,
  reasoning: null,
  outputAudio: null,
  outputImage: null,
});
