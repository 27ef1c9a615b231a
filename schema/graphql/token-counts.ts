import type { TokenClass } from '../values/token-usage.ts';
import { INPUT_CLASSES, OUTPUT_CLASSES, TOKEN_CLASSES } from '../values/token-usage.ts';
import { builder } from './builder.ts';

export type TokenCountsShape = { readonly [Class in TokenClass]: bigint | null };

const descriptions: { readonly [Class in TokenClass]: string } = {
  input: 'Text of the prompt that was not cached.',
  cacheRead: "Read from the provider's cache.",
  cacheWrite5m: "Written to the provider's cache for 5 minutes.",
  cacheWrite1h: "Written to the provider's cache for an hour.",
  inputAudio: 'Audio of the prompt.',
  inputImage: 'Images of the prompt.',
  output: 'Text of the answer, with whatever the provider does not split off.',
  reasoning: 'Hidden reasoning.',
  outputAudio: 'Audio of the answer.',
  outputImage: 'Images of the answer.',
};

function sum(counts: TokenCountsShape, classes: readonly TokenClass[]): bigint | null {
  let total: bigint | null = null;
  for (const tokenClass of classes) {
    const count = counts[tokenClass];
    if (count !== null) total = (total ?? 0n) + count;
  }
  return total;
}

/** Tokens by class; the classes are disjoint. */
export const TokenCounts = builder.objectRef<TokenCountsShape>('TokenCounts').implement({
  description:
    'Tokens by class. Each token is in exactly one class; null means that the provider did not report the class, which is not 0.',
  fields: (t) => ({
    total: t.field({ type: 'BigInt', nullable: true, resolve: (counts) => sum(counts, TOKEN_CLASSES) }),
    inputTotal: t.field({ type: 'BigInt', nullable: true, resolve: (counts) => sum(counts, INPUT_CLASSES) }),
    outputTotal: t.field({ type: 'BigInt', nullable: true, resolve: (counts) => sum(counts, OUTPUT_CLASSES) }),
    ...Object.fromEntries(
      TOKEN_CLASSES.map((tokenClass) => [
        tokenClass,
        t.field({ type: 'BigInt', nullable: true, description: descriptions[tokenClass], resolve: (counts) => counts[tokenClass] }),
      ]),
    ),
  }),
});

interface TokenColumns {
  readonly tokens_input: bigint | null;
  readonly tokens_cache_read: bigint | null;
  readonly tokens_cache_write_5m: bigint | null;
  readonly tokens_cache_write_1h: bigint | null;
  readonly tokens_input_audio: bigint | null;
  readonly tokens_input_image: bigint | null;
  readonly tokens_output: bigint | null;
  readonly tokens_reasoning: bigint | null;
  readonly tokens_output_audio: bigint | null;
  readonly tokens_output_image: bigint | null;
}

/** The classes of a ledger entry's or a rollup's columns. */
export function tokenCountsOf(row: TokenColumns): TokenCountsShape {
  return {
    input: row.tokens_input,
    cacheRead: row.tokens_cache_read,
    cacheWrite5m: row.tokens_cache_write_5m,
    cacheWrite1h: row.tokens_cache_write_1h,
    inputAudio: row.tokens_input_audio,
    inputImage: row.tokens_input_image,
    output: row.tokens_output,
    reasoning: row.tokens_reasoning,
    outputAudio: row.tokens_output_audio,
    outputImage: row.tokens_output_image,
  };
}
