import type { LedgerRow } from './ledger-rows.ts';
import type { ProviderEntry } from './provider-books.ts';

const sheet = { standard: { input: '1000000', cacheRead: '100000', output: '4000000', reasoning: '4000000' } };
export const sheets = new Map([['pv_1', sheet]]);
export const counts = {
  promptTokens: 100,
  cachedTokens: 40,
  cacheWriteTokens: null,
  audioInputTokens: 0,
  completionTokens: 30,
  reasoningTokens: 10,
  audioOutputTokens: 0,
};
/** A call that ended well. */
export const call: ProviderEntry = {
  sequence: 1,
  requestId: 'req_1',
  model: 'echo',
  stream: false,
  status: 200,
  outcome: 'finished',
  reported: counts,
  billed: counts,
};
/** The line of that call. */
export const row: LedgerRow = {
  entry_id: 'e',
  request_id: 'r',
  api_key_id: 'k',
  requestId: 'req_1',
  kind: 'usage',
  outcome: 'succeeded',
  status: 200,
  model: 'sim/echo',
  stream: false,
  // 60 × 1,000,000 + 40 × 100,000 + 20 × 4,000,000 + 10 × 4,000,000
  cost: 184_000_000n,
  proxy_cost: 184_000_000n,
  price_version: 'pv_1',
  unrated: null,
  flags: [],
  usage_source: 'provider',
  tokens_input: 60n,
  tokens_cache_read: 40n,
  tokens_cache_write_5m: null,
  tokens_cache_write_1h: null,
  tokens_input_audio: 0n,
  tokens_input_image: null,
  tokens_output: 20n,
  tokens_reasoning: 10n,
  tokens_output_audio: 0n,
  tokens_output_image: null,
};
const noTokens = Object.fromEntries(Object.keys(row).flatMap((name) => (name.startsWith('tokens_') ? [[name, null]] : [])));
/** A line of which only is known that it was. */
export const unknown: LedgerRow = {
  ...row,
  ...noTokens,
  cost: null,
  proxy_cost: null,
  price_version: null,
  unrated: 'orphaned',
  usage_source: null,
  flags: ['usage_missing'],
};
