import type { TokenUsage } from '../../../../../schema/values/token-usage.ts';

/** What every recorded answer used, by hand from its own numbers and reference/providers.md 2.2; classes it does not name are null, which is not 0. */
export const RECORDED_MESSAGE_USAGE: Readonly<Record<string, { readonly usage: Partial<TokenUsage>; readonly searches: number | null }>> = {
  'stream.cache-read': { usage: { input: 4, cacheRead: 1_167, cacheWrite5m: 0, output: 256 }, searches: null },
  'stream.cache-write_stop-length': { usage: { input: 18, cacheRead: 0, cacheWrite5m: 1_031, output: 100 }, searches: null },
  'stream.error-event-overloaded': { usage: { input: 25, cacheRead: 0, cacheWrite5m: 0, output: 1 }, searches: null },
  'stream.message-delta-repeats-input-tokens': { usage: { input: 61, output: 2 }, searches: null },
  'stream.parallel-tools': { usage: { input: 542, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 62 }, searches: null },
  'stream.reasoning_code-exec': { usage: { input: 4_714, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 304 }, searches: 0 },
  'stream.reasoning_mcp': { usage: { input: 3_042, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 354 }, searches: 0 },
  'stream.reasoning_web-search': { usage: { input: 22_397, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 637 }, searches: 2 },
  'stream.refusal': { usage: { input: 18, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 5 }, searches: null },
  'stream.stop-sequence': { usage: { input: 16, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 28 }, searches: null },
  'stream.text': { usage: { input: 20, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 5 }, searches: null },
  'stream.tool-result-in_image-in': {
    usage: { input: 1_731, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 54 },
    searches: null,
  },
  'sync.parallel-tools_structured': {
    usage: { input: 797, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 91 },
    searches: null,
  },
  'sync.pause-or-compaction': {
    usage: { input: 55_196 + 220, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 125 + 8 },
    searches: 0,
  },
  'sync.programmatic-tool-calling': { usage: { input: 4_243, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 229 }, searches: 0 },
  'sync.reasoning_cache-write': {
    usage: { input: 16, cacheRead: 13_637, cacheWrite5m: 7_049, cacheWrite1h: 0, output: 344 - 33, reasoning: 33 },
    searches: 0,
  },
  'sync.text': { usage: { input: 14, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 5 }, searches: null },
  'sync.tool-result-in_image-in_document-in': {
    usage: { input: 1_093, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 253 },
    searches: null,
  },
  'sync.web-search': { usage: { input: 11_632, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 126 }, searches: 1 },
};
