import type { Behavior } from './behavior.ts';

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

/** Where in `length` frames something happens: never after the last, so that it always does. */
const position = (point: number, length: number): number => Math.max(0, Math.min(point, length - 1));

/** A stream as it would run undisturbed, and how it tells of a failure after so many of its events. */
export type Stream = { readonly frames: readonly Frame[]; readonly failureAfter: (events: number) => readonly string[] };

/** Applies to a stream what the behavior says goes wrong in it. Points count the events of the unbroken stream. */
export function streamScript({ frames, failureAfter }: Stream, behavior: Behavior): Script {
  const { length } = frames;
  const end = `${behavior.newline}${behavior.newline}`;
  const stallBefore = typeof behavior.stall === 'number' ? position(behavior.stall, length) : null;
  // The last event stays whole: half of `[DONE]` would be no malformed JSON, and a stream without `[DONE]` would seem cut.
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
    const sent = position(behavior.errorAfter, length);
    const failing = failureAfter(sent).map((text) => ({ text, tokens: 0, tellsUsage: false }));
    return { frames: [...damaged.slice(0, sent), ...failing], stallBefore, ending: 'end', complete: false };
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
