import { failureInAStream } from '../failures.ts';
import type { Frame, Stream } from '../stream-script.ts';
import type { ComposedResponse, OutputItem } from './response-object.ts';
import { itemObject, messagePart, responseObject, summaryPart } from './response-object.ts';

/** An event before it is numbered. */
type ResponseEvent = { readonly type: string; readonly fields: object; readonly tokens: number };

const happening = (type: string, fields: object, tokens = 0): ResponseEvent => ({ type, fields, tokens });

function reasoningEvents(item: Extract<OutputItem, { kind: 'reasoning' }>, output_index: number): readonly ResponseEvent[] {
  if (item.summary.length === 0) return [];
  const place = { item_id: item.id, output_index, summary_index: 0 };
  const text = item.summary.join('');
  return [
    happening('response.reasoning_summary_part.added', { ...place, part: summaryPart('') }),
    ...item.summary.map((delta) => happening('response.reasoning_summary_text.delta', { ...place, delta })),
    happening('response.reasoning_summary_text.done', { ...place, text }),
    happening('response.reasoning_summary_part.done', { ...place, part: summaryPart(text) }),
  ];
}

function messageEvents(item: Extract<OutputItem, { kind: 'message' }>, output_index: number): readonly ResponseEvent[] {
  const place = { content_index: 0, item_id: item.id, output_index };
  const text = item.pieces.join('');
  const refuses = item.field === 'refusal';
  const name = refuses ? 'response.refusal' : 'response.output_text';
  const probabilities = refuses ? {} : { logprobs: [] };
  return [
    happening('response.content_part.added', { ...place, part: messagePart(item, '') }),
    ...item.pieces.map((delta) => happening(`${name}.delta`, { ...place, delta, ...probabilities }, 1)),
    happening(`${name}.done`, { ...place, ...probabilities, ...(refuses ? { refusal: text } : { text }) }),
    happening('response.content_part.done', { ...place, part: messagePart(item, text) }),
  ];
}

function callEvents(item: Extract<OutputItem, { kind: 'call' }>, output_index: number): readonly ResponseEvent[] {
  const place = { item_id: item.id, output_index };
  const written = item.argumentPieces.join('');
  return [
    ...item.argumentPieces.map((delta) => happening('response.function_call_arguments.delta', { ...place, delta }, 1)),
    happening('response.function_call_arguments.done', { ...place, arguments: written }),
  ];
}

function itemEvents(item: OutputItem, output_index: number, composed: ComposedResponse): readonly ResponseEvent[] {
  const { status } = composed;
  const within =
    item.kind === 'reasoning'
      ? reasoningEvents(item, output_index)
      : item.kind === 'message'
        ? messageEvents(item, output_index)
        : callEvents(item, output_index);
  return [
    // The name of a call is a token.
    happening('response.output_item.added', { item: itemObject(item, false, status), output_index }, item.kind === 'call' ? 1 : 0),
    ...within,
    happening('response.output_item.done', { item: itemObject(item, true, status), output_index }),
  ];
}

/** A response as named, numbered events. It ends with `completed` or `incomplete`, which alone holds the usage; there is no `[DONE]`. */
export function responseStream(composed: ComposedResponse): Stream {
  const { behavior, items, status } = composed;
  const { newline } = behavior;
  const comment = behavior.comments ? `: simulated keep-alive${newline}${newline}` : '';
  const text = ({ type, fields }: ResponseEvent, sequence_number: number): string =>
    `event: ${type}${newline}data: ${JSON.stringify({ type, ...fields, sequence_number })}${newline}${newline}`;

  const begun = { response: responseObject(composed, 'in_progress', null) };
  const events = [
    happening('response.created', begun),
    happening('response.in_progress', begun),
    ...items.flatMap((item, index) => itemEvents(item, index, composed)),
  ];
  const frames: Frame[] = events.map((event, index) => ({ text: comment + text(event, index), tokens: event.tokens, tellsUsage: false }));
  if (status !== 'in_progress') {
    const end = happening(`response.${status}`, { response: responseObject(composed, status, null) });
    frames.push({ text: comment + text(end, frames.length), tokens: 0, tellsUsage: behavior.usage !== 'none' });
  }
  return {
    frames,
    failureAfter: (sent) => {
      const { message, type, param } = failureInAStream;
      const error = { code: 'server_error', message };
      return [
        text(happening('error', { error: { type, code: error.code, message, param } }), sent),
        text(happening('response.failed', { response: responseObject(composed, 'failed', error) }), sent + 1),
      ];
    },
  };
}
