import type { LeaseState } from '../admission/leases/lease-state.ts';
import type { LeaseDatabase } from './lease-database.ts';
import { openHolds } from './open-holds.ts';

export interface OpenHoldsTellerOptions {
  readonly database: Pick<LeaseDatabase, 'tellOpen'>;
  readonly epoch: number;
  readonly onFailed: (error: unknown) => void;
  readonly onFault: (error: unknown) => void;
}

/** @returns what tells the database what is held for requests in flight: one at a time, and not again while there is nothing. */
export function createOpenHoldsTeller({ database, epoch, onFailed, onFault }: OpenHoldsTellerOptions): (state: LeaseState) => void {
  let isTelling = false;
  /** What the last boot told is to be taken back, so that one tells at least once. */
  let hasTold = true;
  return (state) => {
    if (isTelling || (state.requests.size === 0 && !hasTold)) return;
    isTelling = true;
    const open = openHolds(state);
    database
      .tellOpen(epoch, open)
      .finally(() => {
        isTelling = false;
      })
      .then(() => {
        hasTold = open.counters.length > 0;
      }, onFailed)
      .catch(onFault);
  };
}
