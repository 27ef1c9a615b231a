import { openOf } from '../../../services/proxy/admission/leases/lease-state.ts';
import { proveBooks } from '../mirror/books.ts';
import { counterView, posted } from '../mirror/view.ts';
import type { Call, World } from './world.ts';

/** The books are known to be behind: restored, and not everybody's side is in them yet. */
function isBehind({ database }: World): boolean {
  return database.generation.reconciling || database.generation.timeline !== database.timeline;
}

/** Two processes spend one lease: what is beyond it is an overrun once both have posted (leases.md §8), and no sooner. */
function isDoubled({ proxies, calls }: World): boolean {
  return proxies.length > 2 && calls.some(({ phase, posted }) => phase === 'running' || (phase === 'settled' && !posted));
}

/** What a call can still take from its lease, whatever is left of its records. */
function claim(call: Call): bigint {
  if (call.phase === 'running') return call.hold;
  if (call.phase === 'torn' || call.phase === 'erased') return call.actual;
  if (call.phase !== 'settled' || call.posted) return 0n;
  return call.closeSynced || call.debit > call.hold ? call.debit : call.hold;
}

/** I1 to I5 of leases.md §11 in one state, as the first that is broken; null, if all hold. I6 is `heal.ts`. */
export function broken(world: World): string | null {
  if (world.breach !== null) return world.breach;
  const { database } = world;
  const books = proveBooks(database)[0];
  if (books !== undefined) return `I2: ${books}`;
  if (!world.forgotten && database.budget_counters.some((counter) => counter.committed > world.ceiling))
    return 'I1: committed above the limit';
  const wrong = wrongSums(world) ?? wrongPostings(world);
  if (wrong !== null || world.forgotten || isBehind(world) || isDoubled(world)) return wrong;
  return (world.proxies.length > 2 ? null : uncoveredClaims(world)) ?? unreported(world);
}

/** I3 stands on it: what a proxy says is open and not synced of a lease is what its requests and settlements say, and what is free is the rest. */
function wrongSums({ proxies }: World): string | null {
  for (const { state } of proxies) {
    if (state === null) continue;
    for (const lease of state.leases.values()) {
      const { counter, free } = lease;
      // In loops: this is looked at in each of a million states.
      let [open, unsynced] = [0n, 0n];
      for (const holds of state.requests.values()) for (const hold of holds) if (hold.lease === lease) open += hold.amount;
      for (const one of state.unsynced) if (one.lease === lease) unsynced += one.amount;
      if (openOf(lease) !== open || lease.unsynced !== unsynced)
        return `I3: ${openOf(lease)} open, ${lease.unsynced} not synced, ${free} free of ${counter}, where ${open} are open and ${unsynced} not synced`;
    }
  }
  return null;
}

/** I3: unposted debits, open holds and usable free room of a lease are at most what is left of it. */
function uncoveredClaims(world: World): string | null {
  const { database } = world;
  const claims = new Map<string, bigint>();
  const add = (counter: string, node: string, epoch: number, amount: bigint): void => {
    if (amount <= 0n) return;
    const key = `${counter} ${node} ${epoch}`;
    claims.set(key, (claims.get(key) ?? 0n) + amount);
  };
  for (const call of world.calls) add(call.counter, call.source, call.epoch, claim(call));
  for (const { name, state } of world.proxies) {
    if (state === null || state.phase === 'stopping' || state.phase === 'stopped') continue;
    for (const lease of state.leases.values()) if (!lease.gone) add(lease.counter, name, state.epoch, lease.free);
  }
  if (claims.size === 0) return null;
  for (const lease of database.leases) {
    const key = `${lease.counter} ${lease.node} ${lease.epoch}`;
    const wanted = claims.get(key);
    if (wanted === undefined) continue;
    claims.delete(key);
    const left = lease.granted - lease.returned - posted(database, lease.counter, lease.node, lease.epoch);
    if (wanted > left) return `I3: ${wanted} may still be taken from lease ${key}, ${left} is left of it`;
  }
  const without = [...claims.keys()][0];
  return without === undefined ? null : `I3: no lease ${without}`;
}

/** I4: what is posted is each settled call once. */
function wrongPostings(world: World): string | null {
  const { database } = world;
  let debits = 0n;
  let costs = 0n;
  for (const call of world.calls) {
    if (!call.posted) continue;
    debits += call.debit;
    costs += call.cost;
  }
  for (const row of database.lease_postings) debits -= row.posted;
  for (const row of database.counter_totals) costs -= row.settled;
  return debits === 0n && costs === 0n ? null : `I4: posted debits are off by ${debits}, costs by ${costs}`;
}

/** I5: what the provider billed is at most the limit and the overruns that are reported, or on their way. */
function unreported(world: World): string | null {
  for (const counter of world.database.budget_counters) {
    let billed = 0n;
    let coming = 0n;
    for (const call of world.calls) {
      if (call.counter !== counter.counter && call.phase !== 'erased') continue;
      billed += call.actual;
      if (call.phase === 'settled' && !call.posted) coming += call.cost - call.debit;
    }
    const { overrun } = counterView(world.database, counter);
    if (billed > world.ceiling + overrun + coming)
      return `I5: the provider billed ${billed}, reported are ${overrun + coming} above ${world.ceiling}`;
  }
  return null;
}
