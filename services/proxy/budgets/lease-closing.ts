import { forgetLeases, overLeases } from '../admission/leases/lease-ends.ts';
import type { LeaseState } from '../admission/leases/lease-state.ts';
import type { LeaseDatabase } from './lease-database.ts';

export interface LeaseClosingOptions {
  readonly database: Pick<LeaseDatabase, 'close'>;
  readonly epoch: number;
  readonly now: () => number;
  /** Told once the database has closed leases and the state has forgotten them. */
  readonly onClosed: (counters: readonly string[]) => void;
  /** Tried again when it is next called. */
  readonly onFailed: (error: unknown) => void;
  readonly onFault: (error: unknown) => void;
}

/** Closes the leases of windows that are over, so that a process that runs for long does not remember every one of them. */
export interface LeaseClosing {
  /** Closes what can be closed of this state; one call at a time is under way. */
  closeOver(state: LeaseState): void;
  /** Whether a counter was closed lately: beats go on telling of it for a minute. */
  isClosed(counter: string): boolean;
}

const MOST_AT_ONCE = 500;
const TOLD_MS = 120_000;

export function createLeaseClosing({ database, epoch, now, onClosed, onFailed, onFault }: LeaseClosingOptions): LeaseClosing {
  const closedAt = new Map<string, number>();
  let underWay = false;
  return {
    closeOver: (state) => {
      for (const [counter, at] of closedAt) if (at < now() - TOLD_MS) closedAt.delete(counter);
      const over = overLeases(state, MOST_AT_ONCE);
      if (underWay || over.length === 0) return;
      underWay = true;
      database
        .close(epoch, over)
        .finally(() => {
          underWay = false;
        })
        .then((counters) => {
          for (const counter of counters) closedAt.set(counter, now());
          forgetLeases(state, counters);
          onClosed(counters);
        }, onFailed)
        .catch(onFault);
    },
    isClosed: (counter) => closedAt.has(counter),
  };
}
