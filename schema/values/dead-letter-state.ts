/** What became of a dead letter; the last two are final. */
export const DEAD_LETTER_STATES = ['open', 'retrying', 'posted', 'discarded'] as const;
export type DeadLetterState = (typeof DEAD_LETTER_STATES)[number];
