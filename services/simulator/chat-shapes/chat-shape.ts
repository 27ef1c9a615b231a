import type { Answer, Choice, ToolCall } from '../answer.ts';
import type { TokenCounts, ToldCounts } from '../token-counts.ts';

/** One event of a chat stream before it is framed. */
export type ChatEvent = {
  readonly json: string;
  /** Visible tokens generated for it. */
  readonly tokens: number;
  /** Whether the client knows the whole usage once it has this event. */
  readonly tellsUsage: boolean;
};

/** Whether a stream is to tell its usage. */
export type UsageWish = {
  /** The client's `stream_options.include_usage`. */
  readonly asked: boolean;
  /** `usage=unasked`: even where the client did not ask. */
  readonly unasked: boolean;
  /** `usage=none`: not even where this provider always does. */
  readonly never: boolean;
};

/** How one provider writes an answer to a chat completion. */
export type ChatShape = {
  /** What its usage says of the counts. */
  readonly told: (usage: TokenCounts) => ToldCounts;
  readonly body: (answer: Answer, withUsage: boolean) => string;
  readonly events: (answer: Answer, wish: UsageWish) => readonly ChatEvent[];
  /** False where the stream ends without `[DONE]`. */
  readonly endsWithDone: boolean;
  /** What a comment between events says, without the colon. */
  readonly comment: string;
  /** What stands in the stream where it fails: whole lines without the blank one, one text an event. */
  readonly failure: (answer: Answer) => readonly (readonly string[])[];
};

/** The id of a chat completion. */
export const completionId = (answer: Answer): string => `chatcmpl-${answer.stem}`;

export const event = (value: object, tokens = 0, tellsUsage = false): ChatEvent => ({ json: JSON.stringify(value), tokens, tellsUsage });

const textIn = (choice: Choice): string => choice.pieces.join('');

/** The text of a choice as `content` or as `refusal`. */
export function spokenText(choice: Choice): { readonly content: string | null; readonly refusal?: string } {
  if (choice.kind === 'refusal') return { content: null, refusal: textIn(choice) };
  return { content: choice.kind === 'calls' ? null : textIn(choice) };
}

/** A call with its arguments, as it stands in a whole message. */
export function callObject(call: ToolCall) {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: call.argumentPieces.join('') } };
}

/** The `tool_calls` of a message, numbered as all but OpenAI and xAI do; no field where there are none. */
export function numberedCalls(choice: Choice) {
  return choice.kind === 'calls' ? { tool_calls: choice.calls.map((call, index) => ({ ...callObject(call), index })) } : {};
}
