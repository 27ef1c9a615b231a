import { addToBucket, oldestBucket } from './rolling.ts';
import { counterName, counterRow, move, putCounter } from './rows.ts';
import type { CounterRow, LeaseDatabase, LimitRow } from './tables.ts';
import { counterView } from './view.ts';

/** When the window of a counter opens and ends; null: no such moment. */
interface WindowSpan {
  readonly window_key: string;
  readonly opens_at: number | null;
  readonly ends_at: number | null;
}

/** Only the database computes windows, by its own clock: the current one, or the one after it. */
function windowOf(database: LeaseDatabase, limit: LimitRow, next: boolean): WindowSpan {
  const { window } = limit;
  if (window.kind !== 'fixed') return { window_key: `${limit.segment}:0`, opens_at: null, ends_at: null };
  const index = Math.floor(database.now / window.length_ms) + (next ? 1 : 0);
  return { window_key: `${limit.segment}:${index}`, opens_at: index * window.length_ms, ends_at: (index + 1) * window.length_ms };
}

/** The counter of a limit and a group value in the current window or the next, if anybody has asked for it; `next` has no meaning where windows have no end. */
export function counterAt(database: LeaseDatabase, limit: LimitRow, group: string, next: boolean): CounterRow | null {
  return counterRow(database, counterName(limit.limit, windowOf(database, limit, next).window_key, group));
}

/** The same, inserted if it is not there. */
export function counterOf(database: LeaseDatabase, limit: LimitRow, group: string, next: boolean): CounterRow {
  const found = counterAt(database, limit, group, next);
  if (found !== null) return found;
  const span = windowOf(database, limit, next);
  const counter = counterName(limit.limit, span.window_key, group);
  const row: CounterRow = {
    counter,
    limit: limit.limit,
    window_key: span.window_key,
    group_key: group,
    ends_at: span.ends_at,
    committed: 0n,
    cap: limit.amount,
    version: 0,
    wanted_at: null,
    sealed_at: null,
    aged_debit: 0n,
    aged_excess: 0n,
    aged_until: 0,
  };
  openCounter(database, row);
  return counterRow(database, counter) ?? row;
}

/** Inserts a counter. What was posted before it was known here (a restore forgot it) leaves a rolling window from now on, and its credits count. */
export function openCounter(database: LeaseDatabase, row: CounterRow): void {
  const { counter } = row;
  putCounter(database, row);
  putCounter(database, { ...row, aged_until: oldestBucket(database, counter) });
  const totals = database.counter_totals.find((each) => each.counter === counter);
  if (totals !== undefined) addToBucket(database, counter, totals.settled - totals.excess, totals.excess);
  const credited = counterView(database, row).expected;
  if (credited !== 0n) move(database, counter, { kind: 'credit', node: null, epoch: null, amount: credited, cause: 'posted before' });
}

/** No more is granted on it: its window is over, or a reset or an archived budget sealed it. */
export function isOver(database: LeaseDatabase, counter: CounterRow, limit: LimitRow): boolean {
  return counter.sealed_at !== null || limit.sealed_at !== null || (counter.ends_at !== null && counter.ends_at <= database.now);
}

/** Milliseconds until the window ends, null where it does not. */
export function endsInMs(database: LeaseDatabase, counter: CounterRow): number | null {
  return counter.ends_at === null ? null : Math.max(0, counter.ends_at - database.now);
}

/** Milliseconds until the window opens; 0 where it is open. */
export function opensInMs(database: LeaseDatabase, counter: CounterRow, limit: LimitRow): number {
  if (counter.ends_at === null || limit.window.kind !== 'fixed') return 0;
  return Math.max(0, counter.ends_at - limit.window.length_ms - database.now);
}
