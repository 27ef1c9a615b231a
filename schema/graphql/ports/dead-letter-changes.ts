import type { ChangeOutcome, Idempotent } from './change-outcome.ts';

/** What may become of dead letters: the viewer's organization's, or any where the viewer administers the installation. Ids are uuids. */
export interface DeadLetterChanges {
  readonly deadLetterRetry: (input: Idempotent & { readonly id: string }) => Promise<ChangeOutcome<null>>;
  readonly deadLetterDiscard: (input: Idempotent & { readonly id: string; readonly reason: string }) => Promise<ChangeOutcome<null>>;
}
