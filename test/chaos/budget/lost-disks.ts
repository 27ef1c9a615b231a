import { declareProxyLost, releaseLease } from '../../../services/registry/budget-leases.ts';
import type { BudgetWorld, OneDollar } from './budget-world.ts';
import { countersOf } from './dollar-counters.ts';

/** What the leases of lost disks held, and what a person said was spent of it. By counter. */
export type LostRoom = Map<string, { held: bigint; spent: bigint }>;

/**
 * Does what a person does who learns that proxies are gone with their disks and what the provider billed for calls that nobody tells of: says that they
 * are lost, and releases their leases but for these calls.
 * @param unaccounted of a counter's unit, what was billed for such calls, of all that were lost of it so far.
 * @param room of those before; gets what is found here.
 * @returns what is wrong, in words.
 */
export async function releaseLost(
  world: BudgetWorld,
  dollar: OneDollar,
  {
    nodes,
    unaccounted,
    room,
  }: { readonly nodes: readonly string[]; readonly unaccounted: (unit: string) => bigint; readonly room: LostRoom },
): Promise<readonly string[]> {
  const { db } = world.database;
  const reason = 'its disk is gone';
  const problems: string[] = [];
  const units = new Map((await countersOf(world, dollar)).map(({ id, unit }) => [id, unit]));
  for (const node of nodes) {
    // One that died before it registered holds nothing.
    const known = await db.selectFrom('lease_nodes').select('id').where('id', '=', node).executeTakeFirst();
    if (known === undefined) continue;
    await world.change((change) => declareProxyLost(change, { proxyId: node, reason }));
    const leases = await db
      .selectFrom('lease_states')
      .select(['counter_id', 'epoch', 'state', 'posted', 'held', 'lost'])
      .where('node_id', '=', node)
      .where('held', '>', 0n)
      .execute();
    for (const { counter_id: counterId, epoch, state, posted, held, lost } of leases) {
      const unit = units.get(counterId);
      if (unit === undefined) continue;
      if (state !== 'lost' || lost !== held) problems.push(`${held} went with a disk and is listed as ${state}, ${lost} of it lost`);
      const before = room.get(counterId) ?? { held: 0n, spent: 0n };
      const open = unaccounted(unit) - before.spent;
      const spent = open < 0n ? 0n : open < held ? open : held;
      const { freed } = await world.change((change) =>
        releaseLease(change, { counterId, proxyId: node, epoch, spent: () => posted + spent, reason }),
      );
      if (freed !== held - spent) problems.push(`${freed} came free of ${held} that was lost, though ${spent} of it was spent`);
      room.set(counterId, { held: before.held + held, spent: before.spent + spent });
    }
  }
  return problems;
}
