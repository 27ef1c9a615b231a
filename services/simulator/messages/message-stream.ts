import type { Answer, Choice } from '../answer.ts';
import type { Behavior } from '../behavior.ts';
import { failureInAStream } from '../failures.ts';
import type { Frame, Stream } from '../stream-script.ts';
import { endingOf, messageObject, messageUsage, toolUseId } from './message-object.ts';

/** An event, and how many visible tokens it tells. */
type MessageEvent = { readonly type: string; readonly fields: object; readonly tokens: number };

const happening = (type: string, fields: object, tokens = 0): MessageEvent => ({ type, fields, tokens });
const delta = (index: number, fields: object, tokens = 0): MessageEvent =>
  happening('content_block_delta', { index, delta: fields }, tokens);

/** A block from its beginning to its end. @param nameTokens what its beginning tells already. */
function block(index: number, content_block: object, pieces: readonly MessageEvent[], nameTokens = 0): readonly MessageEvent[] {
  return [happening('content_block_start', { index, content_block }, nameTokens), ...pieces, happening('content_block_stop', { index })];
}

function blocksOf(answer: Answer, choice: Choice): readonly MessageEvent[] {
  const events: MessageEvent[] = [];
  let index = 0;
  if (answer.thoughts.length > 0) {
    const pieces = answer.thoughts.map((thinking) => delta(index, { type: 'thinking_delta', thinking }));
    const signature = delta(index, { type: 'signature_delta', signature: `sig_${answer.stem}` });
    events.push(...block(index, { type: 'thinking', thinking: '', signature: '' }, [...pieces, signature]));
    index += 1;
  }
  if (choice.kind === 'content' && choice.pieces.length > 0) {
    const pieces = choice.pieces.map((text) => delta(index, { type: 'text_delta', text }, 1));
    events.push(...block(index, { type: 'text', text: '' }, pieces));
    index += 1;
  }
  for (const { id, name, argumentPieces } of choice.calls) {
    const at = index;
    const pieces = argumentPieces.map((partial_json) => delta(at, { type: 'input_json_delta', partial_json }, 1));
    // The name of a call is a token.
    events.push(...block(at, { type: 'tool_use', id: toolUseId(id), name, input: {} }, pieces, 1));
    index += 1;
  }
  return events;
}

/** A message as named events. Its beginning tells the input, its end all that was used. */
export function messageStream(answer: Answer, choice: Choice, behavior: Behavior): Stream {
  const { newline } = behavior;
  const comment = behavior.comments ? `: simulated keep-alive${newline}${newline}` : '';
  const text = ({ type, fields }: MessageEvent): string =>
    `${comment}event: ${type}${newline}data: ${JSON.stringify({ type, ...fields })}${newline}${newline}`;
  const silent = behavior.usage === 'none';
  const none = { stop_reason: null, stop_sequence: null };
  const begun = messageObject(answer, [], none, silent ? null : messageUsage({ ...answer.usage, completionTokens: 1, reasoningTokens: 0 }));
  const events = [happening('message_start', { message: begun }), happening('ping', {}), ...blocksOf(answer, choice)];
  const frames: Frame[] = events.map((event) => ({ text: text(event), tokens: event.tokens, tellsUsage: false }));
  const ending = endingOf(choice);
  if (ending.stop_reason !== null) {
    const usage = silent ? {} : { usage: messageUsage(answer.usage) };
    // The words of a refusal come with its end.
    const tokens = choice.kind === 'refusal' ? choice.pieces.length : 0;
    frames.push({ text: text(happening('message_delta', { delta: ending, ...usage })), tokens, tellsUsage: !silent });
    frames.push({ text: text(happening('message_stop', {})), tokens: 0, tellsUsage: false });
  }
  const error = { type: 'api_error', message: failureInAStream.message };
  return { frames, failureAfter: () => [text(happening('error', { error }))] };
}
