/** What a route says of the answers to requests that set no limit themselves. */
export interface OutputCap {
  /** Most tokens of one choice. */
  readonly tokens: number;
  /** It is written into such requests, so that the provider is held to it; else budgets hold no more than it, and what goes beyond it overruns them. */
  readonly injected: boolean;
}

/** Names of the field that limits an answer, in requests of OpenAI's protocol. */
export const OUTPUT_LIMIT_FIELDS = ['max_tokens', 'max_completion_tokens'] as const;
export type OutputLimitField = (typeof OUTPUT_LIMIT_FIELDS)[number];
