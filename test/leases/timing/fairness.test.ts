import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { proveBooks } from '../mirror/books.ts';
import { counterView } from '../mirror/view.ts';
import { demand } from './clients.ts';
import { type LeaseCluster, startLeaseCluster } from './lease-cluster.ts';

const hold = 1_000n;

function provenView({ tables }: LeaseCluster) {
  expect(proveBooks(tables)).toEqual([]);
  const [counter] = tables.budget_counters;
  if (counter === undefined) throw new Error('nobody asked');
  return counterView(tables, counter);
}

/** Three nodes with more applications than there is room, some of which come when it is all taken. */
async function crowded(seed: number) {
  const dice = seededRandom(seed * 7_919);
  const pick = (numbers: readonly number[]): number => numbers[dice.below(numbers.length)] ?? 0;
  const places = 1 + dice.below(6);
  const callMs = pick([20, 200, 1_000, 4_000]);
  const cluster = await startLeaseCluster({ seed, nodes: 3, limit: hold * BigInt(places), wayMs: pick([1, 5, 30]) });
  const headStartMs = pick([0, 300, 2_000]);
  const crowd = cluster.nodes.map((node, index) =>
    demand(cluster, node, seed + index, {
      clients: 1 + dice.below([8, 4, 2][index] ?? 1),
      hold,
      cost: 0n,
      callMs,
      startsMs: index * headStartMs,
    }),
  );
  await cluster.advance(50_000);
  return { cluster, crowd, places, callMs };
}

describe('three proxies that all want more than there is', () => {
  test('nobody starves: room that comes back comes to each within six times a call and two seconds', async () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const { cluster, crowd, places, callMs } = await crowded(seed);
      provenView(cluster);
      const waits = crowd.map((served) => Math.round(served.longestWaitMs()));
      const boundMs = 6 * (1.5 * callMs + 2_000);
      expect(Math.max(...waits), `seed ${seed}, ${places} places, calls of ${callMs} ms: ${waits}`).toBeLessThan(boundMs);
    }
  });

  test('who comes when another holds everything is let through within a beat, a call and two retries', async () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const callMs = [50, 700, 3_000][seed % 3] ?? 0;
      const cluster = await startLeaseCluster({ seed, nodes: 2, limit: 2n * hold, wayMs: 10 });
      const [greedy, late] = cluster.nodes;
      if (greedy === undefined || late === undefined) throw new Error('two nodes');
      demand(cluster, greedy, seed, { clients: 4, hold, cost: 0n, callMs });
      const served = demand(cluster, late, seed + 1, { clients: 1, hold, cost: 0n, callMs, startsMs: 5_000 });
      await cluster.advance(45_000);
      expect(served.longestWaitMs(), `seed ${seed}`).toBeLessThan(1_000 + 1.5 * callMs + 2 * 1_100);
    }
  });

  test('who was short once and has gone costs the others little', async () => {
    const cluster = await startLeaseCluster({ seed: 3, nodes: 3, limit: 4n * hold, wayMs: 5 });
    const [busy, passing] = cluster.nodes;
    if (busy === undefined || passing === undefined) throw new Error('two nodes');
    const served = demand(cluster, busy, 1, { clients: 3, hold, cost: 0n, callMs: 200 });
    cluster.after(5_000, () => passing.take(2n * hold, (admitted) => expect(admitted).toBeNull()));
    await cluster.advance(40_000);
    // 564 without it.
    expect(served.admitted).toBeGreaterThan(500);
    expect(served.refused.get('budget_in_flight') ?? 0).toBeLessThan(15);
  });
});

describe('a budget that three proxies use up', () => {
  test('slices are a sixth of the rest at most, or what waits; all of it is spent', async () => {
    for (let seed = 1; seed <= 2; seed += 1) {
      const limit = 700n * hold + BigInt(seed);
      const cluster = await startLeaseCluster({ seed, nodes: 3, limit, wayMs: 5 });
      const crowd = cluster.nodes.map((node, index) =>
        demand(cluster, node, seed + index, { clients: 2 + 6 * index, hold, cost: hold, callMs: 60 }),
      );
      await cluster.advance(40_000);
      // Nothing is posted in this world: what was spent is what is held at rest.
      expect(provenView(cluster).held).toBe(700n * hold);
      expect(crowd.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(700);
      for (const { refused } of crowd) expect(refused.get('insufficient_quota') ?? 0).toBe(0);
      let committed = 0n;
      for (const row of cluster.tables.lease_log) {
        const sixth = (limit - committed) / 6n;
        if (row.kind === 'grant') expect(row.amount <= hold || row.amount <= sixth, `${row.amount} of ${limit - committed}`).toBe(true);
        committed = row.committed;
      }
    }
  });
});
