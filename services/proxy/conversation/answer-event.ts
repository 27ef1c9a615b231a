import type { TokenUsage } from '../../../schema/values/token-usage.ts';

/**
 * What a model answers, piece by piece, in nobody's words. A whole answer is the same events at once, so that each dialect is read and written by one
 * state machine. Order, which readers guarantee and writers rely on: `started` first and once; for each choice pieces of text, thinking and calls as they
 * come, then `finished` once; `usage` and `service_tier` any number of times, of which the last counts. A `tool_input` follows the `tool_call` with the same number.
 */
export type AnswerEvent =
  | {
      readonly kind: 'started';
      /** The provider's, for those who keep it. */
      readonly id: string | null;
      readonly model: string | null;
      /** What it says of the input before it answers; null: nothing yet. */
      readonly usage: TokenUsage | null;
    }
  | { readonly kind: 'text'; readonly choice: number; readonly text: string }
  | { readonly kind: 'thinking'; readonly choice: number; readonly text: string }
  /** Of the thinking before it. */
  | { readonly kind: 'thinking_signature'; readonly choice: number; readonly signature: string }
  | { readonly kind: 'redacted_thinking'; readonly choice: number; readonly data: string }
  | { readonly kind: 'refusal'; readonly choice: number; readonly text: string }
  | {
      readonly kind: 'tool_call';
      readonly choice: number;
      /** Counts the calls of a choice from 0. */
      readonly call: number;
      /** Never empty: the reader makes one where the provider sends none. */
      readonly callId: string;
      readonly name: string;
      readonly signature: string | null;
    }
  /** A piece of the JSON of its arguments; none at all for a call without arguments. */
  | { readonly kind: 'tool_input'; readonly choice: number; readonly call: number; readonly json: string }
  /** What the model drew, base64. */
  | { readonly kind: 'image'; readonly choice: number; readonly mediaType: string; readonly data: string }
  /** Of the text before it. */
  | { readonly kind: 'citation'; readonly choice: number; readonly citation: Citation }
  | { readonly kind: 'logprobs'; readonly choice: number; readonly tokens: readonly TokenLogprob[] }
  | { readonly kind: 'finished'; readonly choice: number; readonly reason: FinishReason; readonly stopSequence: string | null }
  /** How it was served, which sets its price: as OpenAI names it where it has a name for it (`default`, `flex`, `priority`). The last counts. */
  | { readonly kind: 'service_tier'; readonly tier: string }
  | { readonly kind: 'usage'; readonly usage: TokenUsage };

/** Why a choice ended (providers.md section 4). `paused`: the turn can be taken up again. */
export type FinishReason = 'stop' | 'stop_sequence' | 'length' | 'tool_calls' | 'refused' | 'paused';

/** What a text rests on. Null: the provider does not say. */
export interface Citation {
  readonly title: string | null;
  readonly url: string | null;
  readonly quoted: string | null;
  /** Characters of the text of the choice that rest on it, from and up to. */
  readonly start: number | null;
  readonly end: number | null;
}

export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[] | null;
  readonly alternatives: readonly Omit<TokenLogprob, 'alternatives'>[];
}
