import type { BudgetUnit } from '../../values/budget.ts';
import type { ChangeOutcome, Idempotent } from './change-outcome.ts';

/** What a release freed, in whole units of the limit as it is kept. */
export interface ReleasedRow {
  readonly unit: BudgetUnit;
  readonly freed: bigint;
}

/** Acts of people on leases. Ids are uuids. */
export interface LeaseChanges {
  /** The entity is the budget. */
  readonly budgetLeaseRelease: (
    input: Idempotent & {
      readonly counterId: string;
      readonly proxyId: string;
      readonly epoch: bigint;
      /** In pico of whole units. */
      readonly spent: bigint;
      readonly reason: string;
    },
  ) => Promise<ChangeOutcome<ReleasedRow>>;
  readonly nodeDeclareLost: (input: Idempotent & { readonly proxyId: string; readonly reason: string }) => Promise<ChangeOutcome<null>>;
}
