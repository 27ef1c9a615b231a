import type { TokenUsage } from '../../../../../../schema/values/token-usage.ts';

interface RecordedResponse {
  readonly name: string;
  readonly usage?: Partial<TokenUsage>;
  readonly searches?: number;
  readonly cost?: string;
  readonly unrated?: string;
  /** What the provider itself says it charges. */
  readonly reportedCost?: string;
  readonly finishReason?: string | null;
  readonly tier?: string | null;
}

/**
 * What every recorded response used, by hand from its own numbers and reference/providers.md 2.2. The cost is in pico-USD at the prices of `testModel`, which
 * has none for a search, and none for other tiers.
 */
export const RECORDED_RESPONSES: readonly RecordedResponse[] = [
  {
    name: 'azure-openai/responses.stream.tool-call_reasoning_encrypted-reasoning.gpt-5-mini',
    usage: { input: 63, cacheRead: 0, output: 75, reasoning: 64 },
    cost: '372500000',
    finishReason: 'tool_calls',
  },
  {
    name: 'azure-openai/responses.stream.tool-result-in_reasoning.gpt-5-mini',
    usage: { input: 92, cacheRead: 0, output: 38, reasoning: 192 },
    cost: '598000000',
  },
  {
    name: 'azure-openai/responses.sync.tool-call_reasoning_encrypted-reasoning.gpt-5-mini',
    usage: { input: 63, cacheRead: 0, output: 49, reasoning: 64 },
    cost: '320500000',
    finishReason: 'tool_calls',
  },
  {
    name: 'openai/responses.stream.custom-tool',
    usage: { input: 50, cacheRead: 0, output: 20, reasoning: 0 },
    cost: '115000000',
    tier: null,
  },
  { name: 'openai/responses.stream.mcp.gpt-4.1', usage: { input: 1199, cacheRead: 0, output: 103, reasoning: 0 }, cost: '2004500000' },
  {
    name: 'openai/responses.stream.parallel-tools.gpt-4o-mini',
    usage: { input: 104, cacheRead: 0, output: 51, reasoning: 0 },
    cost: '258000000',
    finishReason: 'tool_calls',
  },
  {
    name: 'openai/responses.stream.reasoning_cache-read_web-search_encrypted-reasoning.gpt-5',
    usage: { input: 1143, cacheRead: 8320, output: 70, reasoning: 512 },
    searches: 1,
    unrated: 'price_missing',
  },
  {
    name: 'openai/responses.stream.reasoning_structured.o4-mini',
    usage: { input: 80, cacheRead: 0, output: 53, reasoning: 192 },
    cost: '610000000',
  },
  { name: 'openai/responses.stream.text.gpt-5.5', usage: { input: 11, cacheRead: 0, output: 5, reasoning: 0 }, cost: '26500000' },
  {
    name: 'openai/responses.stream.tool-call_reasoning_service-tier_encrypted-reasoning.gpt-5',
    usage: { input: 53, cacheRead: 0, output: 21, reasoning: 448 },
    unrated: 'tier_unknown',
    finishReason: 'tool_calls',
    tier: 'flex',
  },
  {
    name: 'openai/responses.stream.tool-call_tool-result-in_reasoning_encrypted-reasoning.gpt-5-nano',
    usage: { input: 197, cacheRead: 0, cacheWrite5m: 0, output: 32, reasoning: 192 },
    cost: '743500000',
    finishReason: 'tool_calls',
  },
  {
    name: 'openai/responses.sync.parallel-tools_reasoning_encrypted-reasoning.gpt-5-nano',
    usage: { input: 112, cacheRead: 0, cacheWrite5m: 0, output: 92, reasoning: 192 },
    cost: '736000000',
    finishReason: 'tool_calls',
  },
  {
    name: 'openai/responses.sync.pause-or-compaction_encrypted-reasoning.gpt-4.1',
    usage: { input: 847, cacheRead: 0, output: 1179, reasoning: 0 },
    cost: '3628500000',
  },
  {
    name: 'openai/responses.sync.reasoning_cache-read_web-search_citations.gpt-5',
    usage: { input: 9394, cacheRead: 3200, output: 62, reasoning: 1088 },
    searches: 2,
    unrated: 'price_missing',
  },
  {
    name: 'openai/responses.sync.reasoning_cache-write_stop-length.gpt-5.6-sol',
    usage: { input: 3, cacheRead: 0, cacheWrite5m: 1217, output: 46, reasoning: 54 },
    cost: '2030000000',
    finishReason: 'length',
  },
  {
    name: 'openai/responses.sync.reasoning_mcp_encrypted-reasoning.o4-mini',
    usage: { input: 1065, cacheRead: 0, output: 184, reasoning: 576 },
    cost: '3117500000',
  },
  { name: 'openai/responses.sync.structured.gpt-4o-mini', usage: { input: 82, cacheRead: 0, output: 14, reasoning: 0 }, cost: '151000000' },
  { name: 'openai/responses.sync.text.gpt-4o', unrated: 'usage_missing', finishReason: null, tier: 'auto' },
  {
    name: 'openai/responses.sync.tool-result-in_reasoning_image-in_encrypted-reasoning.gpt-5-mini',
    usage: { input: 582, cacheRead: 0, output: 178, reasoning: 128 },
    cost: '1485000000',
  },
  {
    name: 'openrouter/responses.sync.cache-write.gpt-5.6-sol',
    usage: { input: 8, cacheRead: 0, cacheWrite5m: 4012, output: 5, reasoning: 0 },
    cost: '6040000000',
    reportedCost: '25265000000',
  },
  {
    name: 'xai/responses.stream.tool-call_tool-result-in_reasoning_cache-read.grok-4.3',
    usage: { input: 125, cacheRead: 448, output: 8, reasoning: 117 },
    cost: '504700000',
    reportedCost: '558350000',
    finishReason: 'tool_calls',
  },
  {
    name: 'xai/responses.sync.parallel-tools_reasoning_cache-read_encrypted-reasoning.grok-4.3',
    usage: { input: 175, cacheRead: 128, output: 15, reasoning: 257 },
    cost: '825700000',
    reportedCost: '924350000',
    finishReason: 'tool_calls',
  },
  {
    name: 'xai/responses.sync.reasoning_cache-read_web-search_citations.grok-4.3',
    usage: { input: 3641, cacheRead: 2048, output: 199, reasoning: 245 },
    reportedCost: '16070850000',
    searches: 2,
    unrated: 'price_missing',
  },
  {
    name: 'xai/responses.sync.tool-result-in_reasoning_cache-read_image-in.grok-4.3',
    usage: { input: 439, cacheRead: 192, output: 64, reasoning: 159 },
    cost: '1133300000',
    reportedCost: '1144650000',
  },
];
