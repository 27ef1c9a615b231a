import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import { offsetKey } from './store/books.ts';
import type { World } from './world.ts';

/** All else is at rest, but budgets hold what nobody uses. */
export const STILL_HELD = 'more is held of budgets than is lost';

/** What a world without faults and without load is still waiting for; null when it has come to rest. */
export function unrestOf(world: World): string | null {
  const { proxies, ledgers, apis, server, eventLog, subscribers, leaseChecker } = world;
  for (const { name, running } of [...proxies, ...ledgers, ...apis]) if (running === null) return `${name} does not run`;
  for (const { name, running } of proxies) {
    if (running === null) continue;
    if (running.inFlight > 0 || running.open > 0) return `${name} has ${running.open} open requests`;
    if (running.unsent > 0) return `${name} has ${running.unsent} unsent events`;
  }
  for (let partition = 0; partition < REQUESTS_TOPIC.partitions; partition++) {
    const end = eventLog.end(partition);
    const next = server.books.offsets.get(offsetKey(REQUESTS_TOPIC.name, partition))?.nextOffset ?? 0n;
    if (end === null || next < end) return `partition ${partition} stands at ${next} of ${end}`;
  }
  if (server.books.leases.generation.reconciling) return 'leases reconcile';
  if (server.books.waiting.size > 0) return `${server.books.waiting.size} items wait for a position`;
  for (const { checker, organizationUuid } of subscribers) {
    const head = BigInt(server.books.journals.get(organizationUuid)?.length ?? 0) - 1n;
    if (checker.position !== null && checker.position < head) return `a subscriber stands at ${checker.position} of ${head}`;
  }
  if (leaseChecker.stillHeld() > 0n) return STILL_HELD;
  return null;
}
