import { reportedCost, usdOfTicks } from '../reported-cost.ts';
import type { TokenCounts, ToldCounts } from '../token-counts.ts';
import { toldCounts } from '../token-counts.ts';
import type { UsageShape } from '../usage-shape.ts';

function openaiUsage(usage: TokenCounts) {
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: {
      ...(usage.cacheWriteTokens === null ? {} : { cache_write_tokens: usage.cacheWriteTokens }),
      cached_tokens: usage.cachedTokens,
    },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}

/** The usage of a response. xAI and OpenRouter add to OpenAI's; unlike in its chat, xAI's reasoning lies within the output. */
export function responsesUsage(usage: TokenCounts, shape: UsageShape): object {
  const cost = reportedCost(usage);
  if (shape === 'xai') {
    return {
      ...openaiUsage(usage),
      num_sources_used: 0,
      num_server_side_tools_used: 0,
      cost_in_usd_ticks: cost.totalTicks,
      context_details: { input_tokens: usage.promptTokens, output_tokens: usage.completionTokens },
    };
  }
  if (shape === 'openrouter') {
    return {
      ...openaiUsage(usage),
      cost: usdOfTicks(cost.totalTicks),
      is_byok: false,
      cost_details: {
        upstream_inference_cost: usdOfTicks(cost.totalTicks),
        upstream_inference_input_cost: usdOfTicks(cost.promptTicks),
        upstream_inference_output_cost: usdOfTicks(cost.completionTicks),
      },
    };
  }
  return openaiUsage(usage);
}

/** What it says of the counts: there is no audio in it. */
export function toldOfResponse(usage: TokenCounts): ToldCounts {
  return toldCounts(usage, ['promptTokens', 'cachedTokens', 'cacheWriteTokens', 'completionTokens', 'reasoningTokens']);
}
