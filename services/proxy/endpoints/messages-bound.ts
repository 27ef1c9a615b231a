import type { MessagesRequest } from '../../../schema/http/messages.ts';
import type { OutputCap } from '../../../schema/values/output-cap.ts';
import { isFields } from '../body/json-fields.ts';
import type { BoundingModel, TokenBound } from '../budgets/token-bound.ts';
import { largestMember, tokenBound } from '../budgets/token-bound.ts';

/** Blocks whose tokens their bytes bound. */
const TEXT_BLOCKS: ReadonlySet<unknown> = new Set([
  'text',
  'thinking',
  'redacted_thinking',
  'tool_use',
  'tool_result',
  'search_result',
  'server_tool_use',
  'tool_reference',
]);

/**
 * Bounds a request for a message from above. Pictures and documents are bounded by the context of the model, and so is what tools on Anthropic's side read into
 * it: pages found by a search, what code that ran printed. A member that is said twice counts as the larger.
 * @param bytes of the body, which `request` was parsed from.
 */
export function messagesBound(request: MessagesRequest, bytes: Buffer, model: BoundingModel, outputCap: OutputCap | null): TokenBound {
  const counted = {
    textBytes: bytes.length,
    otherParts: countOtherBlocks(request.messages) + countServerTools(request),
    outputLimit: messagesOutputLimit(request, bytes),
    choices: 1,
  };
  return tokenBound(counted, model, outputCap);
}

/** The limit that a request sets its answer, thinking included; null: none. */
export function messagesOutputLimit(request: MessagesRequest, bytes: Buffer): number | null {
  return largestMember(bytes, 'max_tokens', request.max_tokens);
}

function countOtherBlocks(messages: MessagesRequest['messages']): number {
  let count = 0;
  for (const message of messages) if ('content' in message) count += countIn(message.content);
  return count;
}

/** In a content, and in the results of tools inside of it. */
function countIn(content: unknown): number {
  if (!Array.isArray(content)) return 0;
  let count = 0;
  for (const block of content) {
    if (!isFields(block)) continue;
    if (!TEXT_BLOCKS.has(block.type)) count += 1;
    if (block.type === 'tool_result') count += countIn(block.content);
  }
  return count;
}

/** The application's own are `custom`, or say no type. */
function countServerTools(request: MessagesRequest): number {
  const others = (request.tools ?? []).filter(({ type }) => typeof type === 'string' && type !== 'custom').length;
  return 'mcp_servers' in request && Array.isArray(request.mcp_servers) ? others + request.mcp_servers.length : others;
}
