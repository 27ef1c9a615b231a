import type { Answer, Choice, ToolCall } from '../answer.ts';

/** What happens in a stream, before a provider's way of writing it. `tokens` are the visible ones generated for it. */
export type Moment = { readonly choice: number; readonly tokens: number } & (
  | { readonly kind: 'open'; readonly of: Choice['kind'] }
  | { readonly kind: 'thought'; readonly text: string }
  | { readonly kind: 'text'; readonly field: 'content' | 'refusal'; readonly text: string }
  /** The id and the name of a call; its arguments follow. */
  | { readonly kind: 'call'; readonly position: number; readonly call: ToolCall }
  | { readonly kind: 'arguments'; readonly position: number; readonly text: string; readonly last: boolean }
  /** A call with its arguments. */
  | { readonly kind: 'whole-call'; readonly position: number; readonly call: ToolCall }
  /** `last`: no other choice is still to finish. */
  | { readonly kind: 'finish'; readonly reason: string | null; readonly last: boolean }
);

export type MomentOptions = {
  /** Whether a call comes in one piece. */
  readonly wholeCalls: boolean;
  /** Whether reasoning is shown. */
  readonly thoughts: boolean;
};

function callMoments(call: ToolCall, choice: number, position: number, options: MomentOptions): readonly Moment[] {
  const { argumentPieces } = call;
  if (options.wholeCalls) return [{ kind: 'whole-call', choice, position, call, tokens: 1 + argumentPieces.length }];
  return [
    { kind: 'call', choice, position, call, tokens: 1 },
    ...argumentPieces.map((text, index): Moment => {
      const last = index === argumentPieces.length - 1;
      return { kind: 'arguments', choice, position, text, last, tokens: 1 };
    }),
  ];
}

function laneOf(answer: Answer, choice: Choice, index: number, options: MomentOptions): readonly Moment[] {
  const lane: Moment[] = [{ kind: 'open', choice: index, of: choice.kind, tokens: 0 }];
  if (options.thoughts) for (const text of answer.thoughts) lane.push({ kind: 'thought', choice: index, text, tokens: 0 });
  if (choice.kind === 'calls') return [...lane, ...choice.calls.flatMap((call, position) => callMoments(call, index, position, options))];
  for (const text of choice.pieces) lane.push({ kind: 'text', choice: index, field: choice.kind, text, tokens: 1 });
  return lane;
}

/** All that happens in the stream of an answer: the choices take turns, as OpenAI interleaves them, and then finish one after the other. */
export function momentsOf(answer: Answer, options: MomentOptions): readonly Moment[] {
  const lanes = answer.choices.map((choice, index) => laneOf(answer, choice, index, options));
  const longest = Math.max(...lanes.map((lane) => lane.length));
  const [only] = lanes;
  const turns = only !== undefined && lanes.length === 1 ? [...only] : [];
  if (turns.length === 0) for (let turn = 0; turn < longest; turn++) turns.push(...lanes.flatMap((lane) => lane[turn] ?? []));
  answer.choices.forEach(({ finishReason }, choice) => {
    turns.push({ kind: 'finish', choice, reason: finishReason, last: choice === answer.choices.length - 1, tokens: 0 });
  });
  return turns;
}
