import type { ResponsesRequest } from '../../../schema/http/responses.ts';
import type { OutputCap } from '../../../schema/values/output-cap.ts';
import type { BoundingModel, TokenBound } from '../budgets/token-bound.ts';
import { largestMember, tokenBound } from '../budgets/token-bound.ts';

/** Items that are text throughout, or what their provider wrote and encrypted itself, which is no shorter. */
const TEXT_ITEMS: ReadonlySet<unknown> = new Set(['function_call', 'custom_tool_call', 'reasoning', 'compaction']);
const TEXT_PARTS: ReadonlySet<unknown> = new Set(['input_text', 'output_text', 'text', 'refusal']);
/** Tools whose results the application gives; what others find is not in the body. */
const TOOLS_OF_THE_APPLICATION: ReadonlySet<unknown> = new Set(['function', 'custom']);

/**
 * Bounds a response from above. What is not in the body, because the provider keeps it or finds it while it answers, is bounded by the context of the model,
 * once: a provider that begins again with what its own tools found may bill more, which overruns the hold.
 * @param bytes of the body, which `request` was parsed from.
 */
export function responsesBound(request: ResponsesRequest, bytes: Buffer, model: BoundingModel, outputCap: OutputCap | null): TokenBound {
  const counted = {
    textBytes: bytes.length,
    otherParts: countUnseen(request),
    outputLimit: responsesOutputLimit(request, bytes),
    choices: 1,
  };
  return tokenBound(counted, model, outputCap);
}

/** The limit that a request sets itself for its answer, the largest of several; null: none. */
export function responsesOutputLimit(request: ResponsesRequest, bytes: Buffer): number | null {
  return largestMember(bytes, 'max_output_tokens', request.max_output_tokens);
}

/** What its bytes do not bound. */
function countUnseen({ input, tools, previous_response_id: previous, conversation, prompt }: ResponsesRequest): number {
  const kept = [previous, conversation, prompt].filter((reference) => reference !== undefined && reference !== null).length;
  const hosted = (tools ?? []).filter((tool) => !('type' in tool) || !TOOLS_OF_THE_APPLICATION.has(tool.type)).length;
  const items = typeof input === 'string' ? [] : (input ?? []);
  return items.reduce((count, item) => count + countOtherParts(item), kept + hosted);
}

function countOtherParts(item: object): number {
  const type = 'type' in item ? item.type : 'message';
  if (TEXT_ITEMS.has(type)) return 0;
  const content = 'content' in item ? item.content : 'output' in item ? item.output : null;
  if (typeof content === 'string') return 0;
  // What is neither a text nor parts, as a reference to another item.
  if (!Array.isArray(content)) return 1;
  const parts: readonly unknown[] = content;
  return parts.filter((part) => !isText(part)).length;
}

function isText(part: unknown): boolean {
  return typeof part === 'object' && part !== null && 'type' in part && TEXT_PARTS.has(part.type);
}
