import type { ResponsesRequest } from '../../../../schema/http/responses.ts';
import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import { INPUT_CLASSES, OUTPUT_CLASSES, sumClasses } from '../../../../schema/values/token-usage.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields } from '../../body/json-fields.ts';
import type { AnswerStamp } from '../../conversation/dialect.ts';
import type { OutputItem } from './output-items.ts';
import { itemObject } from './output-items.ts';

/** Where a response stands. */
export type ResponseState =
  | { readonly status: 'in_progress' }
  | { readonly status: 'completed' }
  | { readonly status: 'incomplete'; readonly reason: 'max_output_tokens' | 'content_filter' };

/** What changes of a response while it is written. */
export interface ResponseSoFar {
  readonly state: ResponseState;
  readonly items: readonly OutputItem[];
  readonly usage: TokenUsage | null;
  readonly serviceTier: string | null;
}

/** Writes a response as the API has it, JSON. */
export type WriteResponseObject = (response: ResponseSoFar) => string;

/** What stays the same while a response is written is made once. @param id `resp_…` */
export function createResponseObjects(id: string, { model, createdSeconds }: AnswerStamp, request: ResponsesRequest): WriteResponseObject {
  const head = `{"id":${JSON.stringify(id)},"object":"response","created_at":${createdSeconds},"model":${JSON.stringify(model)},`;
  const repeated = JSON.stringify(repeatedFields(request)).slice(1);
  return ({ state, items, usage, serviceTier }) => {
    const own = JSON.stringify({
      status: state.status,
      incomplete_details: state.status === 'incomplete' ? { reason: state.reason } : null,
      error: null,
      output: items.map(itemObject),
      usage: usageObject(usage),
      service_tier: serviceTier,
    });
    return `${head}${own.slice(1, -1)},${repeated}`;
  };
}

/** What a response says of its request. Nothing is stored, whatever was asked. */
function repeatedFields(request: ResponsesRequest): object {
  const fields: Fields = isFields(request) ? request : {};
  const { reasoning, text } = fields;
  return {
    background: false,
    instructions: fields.instructions ?? null,
    max_output_tokens: fields.max_output_tokens ?? null,
    max_tool_calls: fields.max_tool_calls ?? null,
    metadata: fields.metadata ?? {},
    parallel_tool_calls: fields.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null, ...(isFields(reasoning) ? reasoning : {}) },
    store: false,
    temperature: fields.temperature ?? null,
    text: { format: { type: 'text' }, ...(isFields(text) ? text : {}) },
    tool_choice: fields.tool_choice ?? 'auto',
    tools: fields.tools ?? [],
    top_logprobs: fields.top_logprobs ?? 0,
    top_p: fields.top_p ?? null,
    truncation: 'disabled',
    user: fields.user ?? null,
  };
}

/** One set of disjoint classes as this API counts them: what was read from a cache lies within the input, reasoning within the output. Null: unknown. */
function usageObject(usage: TokenUsage | null): object | null {
  if (usage === null) return null;
  const input = sumClasses(usage, INPUT_CLASSES);
  const output = sumClasses(usage, OUTPUT_CLASSES);
  if (input === null || output === null) return null;
  const written = sumClasses(usage, ['cacheWrite5m', 'cacheWrite1h']);
  return {
    input_tokens: input,
    input_tokens_details: { ...(written === null ? {} : { cache_write_tokens: written }), cached_tokens: usage.cacheRead ?? 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
    total_tokens: input + output,
  };
}
