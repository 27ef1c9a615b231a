import type { LeaseDatabase } from './tables.ts';
import { counterView } from './view.ts';

/** What `doctor` recomputes (leases.md §2, §10), as sentences that are wrong with the books: none, if all is well. A reconciling counter is not looked at. */
export function proveBooks(database: LeaseDatabase): string[] {
  const wrong: string[] = [];
  for (const lease of database.leases) {
    if (lease.returned < 0n || lease.returned > lease.granted)
      wrong.push(`${lease.counter}: returned ${lease.returned} of ${lease.granted}`);
  }
  for (const counter of database.budget_counters) {
    const view = counterView(database, counter);
    if (counter.committed > counter.cap) wrong.push(`${counter.counter}: committed ${counter.committed} is above cap ${counter.cap}`);
    if (view.expected !== counter.committed) wrong.push(`${counter.counter}: committed ${counter.committed}, leases say ${view.expected}`);
    if (view.settled + view.held !== view.committed + view.overrun)
      wrong.push(`${counter.counter}: settled ${view.settled} + held ${view.held}`);
    wrong.push(...proveLog(database, counter.counter));
  }
  return wrong;
}

/** Folding the log gives `committed`, never above the cap of the time, and leaves no version out. */
function proveLog(database: LeaseDatabase, counter: string): string[] {
  if (!database.keepLog) return [];
  const wrong: string[] = [];
  let committed = 0n;
  let version = 0;
  for (const row of database.lease_log) {
    if (row.counter !== counter) continue;
    committed += row.amount;
    version += 1;
    if (row.version !== version) wrong.push(`${counter}: version ${row.version} in place of ${version}`);
    if (row.committed !== committed) wrong.push(`${counter}: the log folds to ${committed}, entry ${version} says ${row.committed}`);
    if (row.committed > row.cap) wrong.push(`${counter}: entry ${version} is above its cap`);
  }
  return wrong;
}
