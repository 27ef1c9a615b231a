import type { LeaseDatabase } from './tables.ts';
import { counterViews } from './view.ts';

/** What `doctor` recomputes (leases.md §2, §10), as sentences that are wrong with the books: none, if all is well. A reconciling counter is not looked at. */
export function proveBooks(database: LeaseDatabase): string[] {
  const wrong: string[] = [];
  for (const lease of database.leases) {
    if (lease.returned < 0n || lease.returned > lease.granted)
      wrong.push(`${lease.counter}: returned ${lease.returned} of ${lease.granted}`);
  }
  const views = counterViews(database);
  for (const [index, counter] of database.budget_counters.entries()) {
    const view = views[index];
    if (view === undefined) continue;
    if (counter.committed > counter.cap) wrong.push(`${counter.counter}: committed ${counter.committed} is above cap ${counter.cap}`);
    if (view.expected !== counter.committed) wrong.push(`${counter.counter}: committed ${counter.committed}, leases say ${view.expected}`);
    if (view.settled + view.held !== view.committed + view.overrun)
      wrong.push(`${counter.counter}: settled ${view.settled} + held ${view.held}`);
  }
  wrong.push(...proveLog(database));
  return wrong;
}

/** Folding the log gives `committed`, never above the cap of the time, and leaves no version out: of each counter. */
function proveLog(database: LeaseDatabase): string[] {
  if (!database.keepLog) return [];
  const wrong: string[] = [];
  const folded = new Map<string, { committed: bigint; version: number }>();
  for (const row of database.lease_log) {
    const last = folded.get(row.counter) ?? { committed: 0n, version: 0 };
    const committed = last.committed + row.amount;
    const version = last.version + 1;
    folded.set(row.counter, { committed, version });
    if (row.version !== version) wrong.push(`${row.counter}: version ${row.version} in place of ${version}`);
    if (row.committed !== committed) wrong.push(`${row.counter}: the log folds to ${committed}, entry ${version} says ${row.committed}`);
    if (row.committed > row.cap) wrong.push(`${row.counter}: entry ${version} is above its cap`);
  }
  return wrong;
}
