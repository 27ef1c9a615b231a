import { expect, test } from 'vitest';
import { normalizeResponseUsage, unitsOfResponse } from '../../../../../../services/proxy/providers/openai/responses/usage.ts';

test('what was read from and written to a cache lies within the input, and reasoning within the output', () => {
  const usage = {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
    output_tokens: 50,
    output_tokens_details: { reasoning_tokens: 40 },
    total_tokens: 150,
  };
  expect(normalizeResponseUsage(usage)).toMatchObject({
    usage: { input: 10, cacheRead: 60, cacheWrite5m: 30, output: 10, reasoning: 40 },
    flags: [],
  });
});

test('searches are counted by who counts them, else by the calls that searched', () => {
  const call = (type: string, status = 'completed') => ({ type: 'web_search_call', status, action: { type } });
  const output = [call('search'), call('search', 'failed'), call('open_page'), call('find_in_page'), { type: 'message' }];
  expect(unitsOfResponse({ output }, null)).toEqual({ searches: 1, images: null, audioSeconds: null });
  expect(unitsOfResponse({ output: [{ type: 'message' }] }, null)).toBeNull();
  const counted = { server_side_tool_usage_details: { web_search_calls: 2, x_search_calls: 3, mcp_calls: 4 } };
  expect(unitsOfResponse({ output }, counted)).toMatchObject({ searches: 5 });
  expect(unitsOfResponse({ output }, { server_side_tool_usage_details: { web_search_calls: 0 } })).toBeNull();
});
