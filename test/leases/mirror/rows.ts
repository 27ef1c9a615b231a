import { larger } from './amounts.ts';
import type { CounterRow, LeaseDatabase, LeaseLogKind, LeaseRow, LimitRow, NodeRow } from './tables.ts';

export function nodeRow(database: LeaseDatabase, node: string): NodeRow | null {
  return database.lease_nodes.find((row) => row.node === node) ?? null;
}

export function putNode(database: LeaseDatabase, row: NodeRow): void {
  const at = database.lease_nodes.findIndex((other) => other.node === row.node);
  if (at === -1) database.lease_nodes.push(row);
  else database.lease_nodes[at] = row;
}

/** As it is stored, whatever time it is. */
export function storedLimit(database: LeaseDatabase, limit: string): LimitRow | null {
  return database.budget_limits.find((row) => row.limit === limit) ?? null;
}

/** With the amount and the version that count now. */
export function limitRow(database: LeaseDatabase, limit: string): LimitRow | null {
  const row = storedLimit(database, limit);
  if (row === null || row.raise === null) return row;
  const { by, until } = row.raise;
  return until > database.now ? { ...row, amount: row.amount + by } : { ...row, version: row.version + 1 };
}

export function putLimit(database: LeaseDatabase, row: LimitRow): void {
  const at = database.budget_limits.findIndex((other) => other.limit === row.limit);
  if (at === -1) database.budget_limits.push(row);
  else database.budget_limits[at] = row;
}

export function counterRow(database: LeaseDatabase, counter: string): CounterRow | null {
  return database.budget_counters.find((row) => row.counter === counter) ?? null;
}

export function putCounter(database: LeaseDatabase, row: CounterRow): void {
  const at = database.budget_counters.findIndex((other) => other.counter === row.counter);
  if (at === -1) database.budget_counters.push(row);
  else database.budget_counters[at] = row;
}

export function leaseRow(database: LeaseDatabase, counter: string, node: string, epoch: number): LeaseRow | null {
  return database.leases.find((row) => row.counter === counter && row.node === node && row.epoch === epoch) ?? null;
}

export function putLease(database: LeaseDatabase, row: LeaseRow): void {
  const at = database.leases.findIndex((other) => other.counter === row.counter && other.node === row.node && other.epoch === row.epoch);
  if (at === -1) database.leases.push(row);
  else database.leases[at] = row;
}

/** The counter a limit has for a group value in the window with this key. */
export function counterName(limit: string, windowKey: string, groupKey: string): string {
  return `${limit}/${windowKey}/${groupKey}`;
}

/**
 * Moves `committed` by an amount, with the entry in the log that says why. Only a grant raises `cap` to the limit's amount; a reconciliation and a
 * register may find more committed than was ever granted here, and then `cap` is raised to it.
 */
export function move(
  database: LeaseDatabase,
  counter: string,
  entry: { kind: LeaseLogKind; node: string | null; epoch: number | null; amount: bigint; cause?: string },
  cap?: bigint,
): void {
  const row = counterRow(database, counter);
  if (row === null) throw new Error(`no counter ${counter}`);
  const committed = row.committed + entry.amount;
  const raised = cap ?? larger(committed, row.cap);
  if (committed > raised) throw new Error(`committed ${committed} of ${counter} would be above its cap ${raised}`);
  putCounter(database, { ...row, committed, cap: raised, version: row.version + 1 });
  if (!database.keepLog) return;
  const { kind, node, epoch, amount, cause } = entry;
  database.lease_log.push({ counter, version: row.version + 1, kind, node, epoch, amount, committed, cap: raised, cause: cause ?? null });
}
