import type { Answer, Choice } from '../answer.ts';
import type { Behavior } from '../behavior.ts';
import type { ResponsesRequest } from './responses-request.ts';
import { responsesUsage } from './responses-usage.ts';

export type ResponseStatus = 'in_progress' | 'completed' | 'incomplete' | 'failed';

/** Something an answer consists of, each with an id of its own. */
export type OutputItem =
  | { readonly kind: 'reasoning'; readonly id: string; readonly summary: readonly string[]; readonly encrypted: string | null }
  | { readonly kind: 'message'; readonly id: string; readonly field: 'content' | 'refusal'; readonly pieces: readonly string[] }
  | {
      readonly kind: 'call';
      readonly id: string;
      readonly callId: string;
      readonly name: string;
      readonly argumentPieces: readonly string[];
    };

export type ComposedResponse = {
  readonly id: string;
  readonly answer: Answer;
  readonly items: readonly OutputItem[];
  /** How it ends. `in_progress`: it never says so (`finish=missing`). */
  readonly status: 'completed' | 'incomplete' | 'in_progress';
  readonly incompleteReason: string | null;
  readonly request: ResponsesRequest;
  readonly behavior: Behavior;
};

const emptyChoice: Choice = { kind: 'content', pieces: [], calls: [], finishReason: 'stop' };

/** The items of an answer: reasoning where tokens went into it, and then a message or calls. */
function itemsOf(answer: Answer, choice: Choice, request: ResponsesRequest): readonly OutputItem[] {
  const items: OutputItem[] = [];
  if (answer.usage.reasoningTokens > 0) {
    const encrypted = request.include?.includes('reasoning.encrypted_content') === true ? `encrypted-${answer.stem}` : null;
    items.push({
      kind: 'reasoning',
      id: `rs_${answer.stem}`,
      summary: request.reasoning?.summary == null ? [] : answer.thoughts,
      encrypted,
    });
  }
  if (choice.kind === 'calls') {
    choice.calls.forEach(({ id, name, argumentPieces }, index) => {
      items.push({ kind: 'call', id: `fc_${answer.stem}${index}`, callId: id, name, argumentPieces });
    });
  } else {
    items.push({ kind: 'message', id: `msg_${answer.stem}`, field: choice.kind, pieces: choice.pieces });
  }
  return items;
}

/** The response that a chat answer of one choice amounts to. */
export function composeResponse(answer: Answer, request: ResponsesRequest, behavior: Behavior): ComposedResponse {
  const choice = answer.choices[0] ?? emptyChoice;
  const reason =
    choice.finishReason === 'length' ? 'max_output_tokens' : choice.finishReason === 'content_filter' ? 'content_filter' : null;
  return {
    id: `resp_${answer.stem}`,
    answer,
    items: itemsOf(answer, choice, request),
    status: choice.finishReason === null ? 'in_progress' : reason === null ? 'completed' : 'incomplete',
    incompleteReason: reason,
    request,
    behavior,
  };
}

/** The part of a message that holds its text. */
export function messagePart(item: Extract<OutputItem, { kind: 'message' }>, text: string): object {
  return item.field === 'refusal' ? { type: 'refusal', refusal: text } : { type: 'output_text', annotations: [], logprobs: [], text };
}

export const summaryPart = (text: string): object => ({ type: 'summary_text', text });

/** An item when it is done, or when it has just been added and is still empty. */
export function itemObject(item: OutputItem, done: boolean, status: ResponseStatus): object {
  const itemStatus = !done ? 'in_progress' : status === 'incomplete' ? 'incomplete' : 'completed';
  switch (item.kind) {
    case 'reasoning': {
      const encrypted = item.encrypted === null ? {} : { encrypted_content: item.encrypted };
      return {
        id: item.id,
        type: 'reasoning',
        ...encrypted,
        summary: done && item.summary.length > 0 ? [summaryPart(item.summary.join(''))] : [],
      };
    }
    case 'message': {
      const content = done ? [messagePart(item, item.pieces.join(''))] : [];
      return { id: item.id, type: 'message', status: itemStatus, content, role: 'assistant' };
    }
    case 'call': {
      const written = done ? item.argumentPieces.join('') : '';
      // A call is whole whatever the answer is: the simulator never stops within one.
      return {
        id: item.id,
        type: 'function_call',
        status: done ? 'completed' : 'in_progress',
        arguments: written,
        call_id: item.callId,
        name: item.name,
      };
    }
  }
}

/** The response object, in a body or in an event: with its output and usage once it has ended, without them before and where it failed. */
export function responseObject(
  composed: ComposedResponse,
  status: ResponseStatus,
  failure: { code: string; message: string } | null,
): object {
  const { answer, request, behavior, items } = composed;
  const ended = status === 'completed' || status === 'incomplete';
  return {
    id: composed.id,
    object: 'response',
    created_at: answer.created,
    status,
    background: false,
    completed_at: status === 'completed' ? answer.created : null,
    error: failure,
    frequency_penalty: 0,
    incomplete_details: status === 'incomplete' ? { reason: composed.incompleteReason } : null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    model: answer.model,
    moderation: null,
    output: ended ? items.map((item) => itemObject(item, true, status)) : [],
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    presence_penalty: 0,
    previous_response_id: null,
    prompt_cache_key: null,
    prompt_cache_retention: null,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: request.reasoning?.summary ?? null },
    safety_identifier: null,
    // The tier that was used is known at the end only.
    service_tier: ended ? answer.serviceTier : 'auto',
    store: request.store ?? true,
    temperature: request.temperature ?? 1,
    text: { format: request.text?.format ?? { type: 'text' }, verbosity: 'medium' },
    tool_choice: request.tool_choice ?? 'auto',
    tools: request.tools ?? [],
    top_logprobs: 0,
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? 'disabled',
    usage: ended && behavior.usage !== 'none' ? responsesUsage(answer.usage, behavior.usageShape) : null,
    user: request.user ?? null,
    metadata: request.metadata ?? {},
  };
}
