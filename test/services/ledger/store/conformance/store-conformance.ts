import { afterEach, beforeEach } from 'vitest';
import { batchGuarantees } from './batch-guarantees.ts';
import { feedGuarantees } from './feed-guarantees.ts';
import { orderGuarantees } from './order-guarantees.ts';
import { partitionGuarantees } from './partition-guarantees.ts';
import { poisonGuarantees } from './poison-guarantees.ts';
import type { StoreWorld } from './store-world.ts';

/** What every implementation of the ledger's ports promises, as tests of the file that calls it; each has a world of its own. */
export function storeConformance(createWorld: () => Promise<StoreWorld>): void {
  let current: StoreWorld | null = null;
  const world = (): StoreWorld => {
    if (current === null) throw new Error('no world yet');
    return current;
  };
  beforeEach(async () => {
    current = await createWorld();
    await current.addTestPrice();
  });
  afterEach(() => current?.close());

  partitionGuarantees(world);
  batchGuarantees(world);
  poisonGuarantees(world);
  orderGuarantees(world);
  feedGuarantees(world);
}
