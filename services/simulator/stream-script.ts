import type { Answer, Choice } from './answer.ts';
import type { Behavior } from './behavior.ts';
import { errorEnvelope } from './failures.ts';
import { usageJson } from './token-counts.ts';

/** A piece of a body. */
export type Frame = {
  readonly text: string;
  /** Visible tokens generated for it. */
  readonly tokens: number;
  /** Whether the client knows the usage once it has this piece. */
  readonly tellsUsage: boolean;
};

/** What is written after the headers, in order, and what happens to the connection then. */
export type Script = {
  readonly frames: readonly Frame[];
  /** Wait before this frame, or null. */
  readonly stallBefore: number | null;
  readonly ending: Behavior['disconnectBy'];
  /** False where the answer was broken on purpose, so that it is booked as cut. */
  readonly complete: boolean;
};

type Delta = { readonly choice: number; readonly json: string; readonly tokens: number };

function openingDelta(choice: Choice): string {
  return choice.kind === 'content' ? '{"role":"assistant","content":"","refusal":null}' : '{"role":"assistant","content":null}';
}

/** The deltas of one choice between its first and its last chunk. */
function deltasOf(choice: Choice, index: number): readonly Delta[] {
  if (choice.kind !== 'calls') {
    const field = choice.kind;
    return choice.pieces.map((piece) => ({ choice: index, json: `{"${field}":${JSON.stringify(piece)}}`, tokens: 1 }));
  }
  return choice.calls.flatMap((call, position) => [
    {
      choice: index,
      json: `{"tool_calls":[{"index":${position},"id":"${call.id}","type":"function","function":{"name":${JSON.stringify(call.name)},"arguments":""}}]}`,
      tokens: 1,
    },
    ...call.argumentPieces.map((piece) => ({
      choice: index,
      json: `{"tool_calls":[{"index":${position},"function":{"arguments":${JSON.stringify(piece)}}}]}`,
      tokens: 1,
    })),
  ]);
}

/** All deltas, choices taking turns as OpenAI interleaves them. */
function interleaved(choices: readonly Choice[]): readonly Delta[] {
  const lanes = choices.map((choice, index) => [{ choice: index, json: openingDelta(choice), tokens: 0 }, ...deltasOf(choice, index)]);
  const [only] = lanes;
  if (only !== undefined && lanes.length === 1) return only;
  const longest = Math.max(...lanes.map((lane) => lane.length));
  return Array.from({ length: longest }, (_, turn) => lanes.flatMap((lane) => lane[turn] ?? [])).flat();
}

/** The events of an answer in OpenAI's form, ending with `[DONE]`. `usageAsked` is the client's `stream_options.include_usage`. */
export function streamFrames(answer: Answer, behavior: Behavior, usageAsked: boolean): readonly Frame[] {
  const asked = usageAsked && behavior.usage !== 'none';
  const end = `${behavior.newline}${behavior.newline}`;
  const comment = behavior.comments ? `: simulated keep-alive${end}` : '';
  const head =
    `${comment}data: {"id":"${answer.id}","object":"chat.completion.chunk","created":${answer.created},` +
    `"model":${JSON.stringify(answer.model)},"service_tier":"${answer.serviceTier}",` +
    `"system_fingerprint":"${answer.systemFingerprint}","choices":[`;
  const tail = `${asked ? ',"usage":null' : ''}}${end}`;
  const usage = usageJson(answer.usage);
  const frames: Frame[] = [];
  for (const { choice, json, tokens } of interleaved(answer.choices)) {
    const text = `${head}{"index":${choice},"delta":${json},"logprobs":null,"finish_reason":null}]${tail}`;
    frames.push({ text, tokens, tellsUsage: false });
  }
  answer.choices.forEach((choice, index) => {
    const reason = choice.finishReason === null ? 'null' : `"${choice.finishReason}"`;
    const tellsUsage = index === answer.choices.length - 1 && behavior.usage === 'unasked';
    const last = tellsUsage ? `,"usage":${usage}}${end}` : tail;
    const text = `${head}{"index":${index},"delta":{},"logprobs":null,"finish_reason":${reason}}]${last}`;
    frames.push({ text, tokens: 0, tellsUsage });
  });
  if (asked) frames.push({ text: `${head}],"usage":${usage}}${end}`, tokens: 0, tellsUsage: true });
  frames.push({ text: `data: [DONE]${end}`, tokens: 0, tellsUsage: false });
  return frames;
}

/** Where in `length` frames something happens: never after the last, so that it always does. */
const position = (point: number, length: number): number => Math.max(0, Math.min(point, length - 1));

/** The stream's failure in the middle: OpenAI's envelope as an event, and the end without `[DONE]`. */
const failureEvent = errorEnvelope({
  message: 'The server had an error while processing your request. Sorry about that!',
  type: 'server_error',
  param: null,
  code: null,
});

/** Applies to a stream what the behavior says goes wrong in it. Points count the events of the unbroken stream. */
export function streamScript(frames: readonly Frame[], behavior: Behavior): Script {
  const { length } = frames;
  const end = `${behavior.newline}${behavior.newline}`;
  const stallBefore = typeof behavior.stall === 'number' ? position(behavior.stall, length) : null;
  // The last event stays whole: half of `[DONE]` would be no malformed JSON.
  const malformedAt = behavior.malformedAt === null ? null : position(behavior.malformedAt, length - 1);
  const damaged =
    malformedAt === null
      ? frames
      : frames.map((frame, index) =>
          index === malformedAt
            ? { text: `${frame.text.slice(0, Math.floor(frame.text.length / 2))}${end}`, tokens: frame.tokens, tellsUsage: false }
            : frame,
        );
  if (behavior.errorAfter !== null) {
    const event = { text: `data: ${failureEvent}${end}`, tokens: 0, tellsUsage: false };
    return { frames: [...damaged.slice(0, position(behavior.errorAfter, length)), event], stallBefore, ending: 'end', complete: false };
  }
  if (typeof behavior.disconnect === 'number') {
    const kept = damaged.slice(0, position(behavior.disconnect, length));
    return { frames: kept, stallBefore, ending: behavior.disconnectBy, complete: false };
  }
  return { frames: damaged, stallBefore, ending: 'end', complete: true };
}

/** Index near the middle of a text that does not part a surrogate pair. */
function middle(text: string): number {
  const index = Math.floor(text.length / 2);
  return text.slice(0, index).isWellFormed() ? index : index + 1;
}

/**
 * The same for an answer in one body: it has two halves, and what happens within a stream happens between them. `error-after` is no
 * concern of this function, since such an answer is an error from the start.
 */
export function bodyScript(body: string, visibleTokens: number, behavior: Behavior): Script {
  const tellsUsage = behavior.usage !== 'none';
  const broken = typeof behavior.disconnect === 'number';
  const stallBefore = typeof behavior.stall === 'number' ? 1 : null;
  if (!broken && stallBefore === null && behavior.malformedAt === null) {
    return { frames: [{ text: body, tokens: visibleTokens, tellsUsage }], stallBefore, ending: 'end', complete: true };
  }
  const cut = middle(body);
  const first = { text: body.slice(0, cut), tokens: visibleTokens, tellsUsage: false };
  if (broken) return { frames: [first], stallBefore, ending: behavior.disconnectBy, complete: false };
  if (behavior.malformedAt !== null) return { frames: [first], stallBefore: null, ending: 'end', complete: true };
  return { frames: [first, { text: body.slice(cut), tokens: 0, tellsUsage }], stallBefore, ending: 'end', complete: true };
}
