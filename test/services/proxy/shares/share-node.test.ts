import { expect, test } from 'vitest';
import { createShareNode } from '../../../../services/proxy/shares/share-node.ts';
import type { ShareAnswer } from '../../../../services/proxy/shares/share-protocol.ts';
import { createVirtualTime } from '../../../harness/virtual-time.ts';
import { silentLog } from '../../ledger/posting.ts';

const waitMs = 250;
const wanted = { limit: 'limit', group: '', amount: 1n, most: 5n, periodMs: null };

function nodeOver(tell: () => Promise<ShareAnswer>) {
  const { timers, clock, advance } = createVirtualTime(0);
  const node = createShareNode({ database: { tell }, now: clock.monotonic, timers, log: silentLog, waitMs });
  node.begin();
  return { node, advance };
}

test('a request that waits for a word which never comes is told so after its wait, and not before', async () => {
  const { node, advance } = nodeOver(() => new Promise(() => {}));
  const told: unknown[] = [];
  node.take([wanted], (taken, shortage) => told.push([taken, shortage?.kind]));
  await advance(waitMs - 1);
  expect(told).toEqual([]);
  await advance(1);
  expect(told).toEqual([[null, 'unproven']]);
});
