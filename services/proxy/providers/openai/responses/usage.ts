import type { UnitUsage } from '../../../../../schema/values/token-usage.ts';
import type { Fields } from '../../../body/json-fields.ts';
import { isFields } from '../../../body/json-fields.ts';
import type { NormalizedUsage } from '../usage.ts';
import { normalizeUsage } from '../usage.ts';

/** Disjoint token classes of the usage of a response: the counts of a chat completion under other names, with reasoning always inside the output. */
export function normalizeResponseUsage(usage: Fields): NormalizedUsage {
  return normalizeUsage({
    prompt_tokens: usage.input_tokens,
    prompt_tokens_details: usage.input_tokens_details,
    completion_tokens: usage.output_tokens,
    completion_tokens_details: usage.output_tokens_details,
    total_tokens: usage.total_tokens,
  });
}

/**
 * What a response used that is billed by the piece: its searches. xAI counts them; elsewhere they are the calls in its output that searched, since
 * opening a page and finding in it are not billed. Null: it made none.
 */
export function unitsOfResponse(response: Fields, usage: Fields | null): UnitUsage | null {
  const counted = isFields(usage?.server_side_tool_usage_details) ? usage.server_side_tool_usage_details : null;
  const searches = counted === null ? searchesIn(response.output) : countOf(counted.web_search_calls) + countOf(counted.x_search_calls);
  return searches === 0 ? null : { searches, images: null, audioSeconds: null };
}

function searchesIn(output: unknown): number {
  if (!Array.isArray(output)) return 0;
  return output.filter((item) => isFields(item) && item.type === 'web_search_call' && searched(item)).length;
}

function searched({ action, status }: Fields): boolean {
  if (status === 'failed') return false;
  return !isFields(action) || action.type === undefined || action.type === 'search';
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
