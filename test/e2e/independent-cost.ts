import type { ProviderCounts } from './provider-books.ts';

/** Disjoint classes as the ledger's columns name them. */
export type TokenColumns = {
  readonly tokens_input: bigint;
  readonly tokens_cache_read: bigint;
  readonly tokens_cache_write_5m: bigint | null;
  readonly tokens_input_audio: bigint;
  readonly tokens_output: bigint;
  readonly tokens_reasoning: bigint;
  readonly tokens_output_audio: bigint;
};

const priceOfColumn: Readonly<Record<keyof TokenColumns, string>> = {
  tokens_input: 'input',
  tokens_cache_read: 'cacheRead',
  tokens_cache_write_5m: 'cacheWrite5m',
  tokens_input_audio: 'inputAudio',
  tokens_output: 'output',
  tokens_reasoning: 'reasoning',
  tokens_output_audio: 'outputAudio',
};

/** What the ledger has to say of a provider's count: parts taken out of their whole. Written apart from the product on purpose. */
export function tokenColumns(counts: ProviderCounts): TokenColumns {
  return {
    tokens_input: BigInt(counts.promptTokens - counts.cachedTokens - (counts.cacheWriteTokens ?? 0) - counts.audioInputTokens),
    tokens_cache_read: BigInt(counts.cachedTokens),
    tokens_cache_write_5m: counts.cacheWriteTokens === null ? null : BigInt(counts.cacheWriteTokens),
    tokens_input_audio: BigInt(counts.audioInputTokens),
    tokens_output: BigInt(counts.completionTokens - counts.reasoningTokens - counts.audioOutputTokens),
    tokens_reasoning: BigInt(counts.reasoningTokens),
    tokens_output_audio: BigInt(counts.audioOutputTokens),
  };
}

/** Pico-USD by the sheet's prices per token. @throws Error where a class that was used has no price. */
export function independentCost(counts: ProviderCounts, sheet: unknown): bigint {
  let sum = 0n;
  const columns = tokenColumns(counts);
  for (const [column, name] of Object.entries(priceOfColumn)) {
    const tokens = Object.entries(columns).find(([key]) => key === column)?.[1] ?? 0n;
    if (tokens > 0n) sum += tokens * priceIn(sheet, name);
  }
  return sum;
}

function priceIn(sheet: unknown, name: string): bigint {
  const standard = member(sheet, 'standard');
  const price = member(standard, name);
  if (typeof price !== 'string') throw new Error(`the sheet has no price for ${name}: ${JSON.stringify(sheet)}`);
  return BigInt(price);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
}

/** `0.000012` USD is 12,000,000 pico-USD: exact, digit by digit. @throws Error where there are more than twelve decimals. */
export function picoFromUsdText(text: string): bigint {
  const match = /^(\d+)(?:\.(\d{1,12}))?$/.exec(text);
  if (match === null) throw new Error(`not an exact amount of USD: ${text}`);
  return BigInt(match[1] ?? '0') * 10n ** 12n + BigInt((match[2] ?? '').padEnd(12, '0'));
}
