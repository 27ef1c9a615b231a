import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { type Admitted, type ClusterNode, type LeaseCluster, startLeaseCluster } from './lease-cluster.ts';

const hold = 1_000n;
const beatMs = 1_000;
const tickMs = 50;
const longestSyncMs = 5;

function twoOf({ nodes }: LeaseCluster): readonly [ClusterNode, ClusterNode] {
  const [one, other] = nodes;
  if (one === undefined || other === undefined) throw new Error('two nodes');
  return [one, other];
}

async function takeAll(cluster: LeaseCluster, node: ClusterNode, places: number): Promise<Admitted[]> {
  const taken: Admitted[] = [];
  for (let place = 0; place < places; place += 1) {
    node.take(hold, (admitted) => {
      if (admitted !== null) taken.push(admitted);
    });
    await cluster.advance(300);
  }
  expect(taken).toHaveLength(places);
  return taken;
}

/** Asks for it, and comes back as it is told to. @returns when it was let through, since now. */
function wantIt(cluster: LeaseCluster, node: ClusterNode, amount: bigint): () => number | null {
  const since = cluster.now();
  let after: number | null = null;
  const call = (): void =>
    node.take(amount, (admitted, refusal) => {
      if (admitted !== null) after = cluster.now() - since;
      else {
        expect(refusal?.code).toBe('budget_in_flight');
        cluster.after(1_000 * (refusal?.retryAfterSeconds ?? 0), call);
      }
    });
  call();
  return () => after;
}

/** What the first node holds, as the database knows it. */
function heldByFirst({ tables }: LeaseCluster): bigint {
  const lease = tables.leases.find(({ node }) => node === 'n0');
  return lease === undefined ? 0n : lease.granted - lease.returned;
}

describe('room that one proxy holds and another wants', () => {
  test('what is idle is back in a beat, a tick and two round trips, and with who asks at its next retry', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const wayMs = [1, 10, 60][seed % 3] ?? 0;
      const cluster = await startLeaseCluster({ seed, nodes: 2, limit: 4n * hold, wayMs });
      const [holder, other] = twoOf(cluster);
      for (const each of await takeAll(cluster, holder, 4)) each.settle(0n);
      await cluster.advance(seededRandom(seed).below(beatMs));
      expect(heldByFirst(cluster)).toBe(4n * hold);
      const wanted = wantIt(cluster, other, 4n * hold);
      const backMs = wayMs + beatMs + 2 * (2 * wayMs) + tickMs;
      await cluster.advance(backMs);
      expect(heldByFirst(cluster), `seed ${seed}`).toBe(0n);
      await cluster.advance(3_000);
      // A retry is at most a second and a round trip after the room is back.
      expect(wanted(), `seed ${seed}`).not.toBeNull();
      expect(wanted() ?? 0, `seed ${seed}`).toBeLessThan(backMs + 1_000 + 4 * wayMs);
    }
  });

  test('what a call holds stays until it ends, and is with who asks a sync, a tick, two round trips and a retry later', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const wayMs = [1, 10, 60][seed % 3] ?? 0;
      const cluster = await startLeaseCluster({ seed, nodes: 2, limit: 2n * hold, wayMs });
      const [holder, other] = twoOf(cluster);
      const [call] = await takeAll(cluster, holder, 2);
      const wanted = wantIt(cluster, other, hold);
      const callMs = 20_000 + seededRandom(seed).below(1_000);
      await cluster.advance(callMs);
      expect(wanted()).toBeNull();
      expect(heldByFirst(cluster)).toBe(2n * hold);
      call?.settle(0n);
      await cluster.advance(3_000);
      expect(wanted(), `seed ${seed}`).not.toBeNull();
      expect((wanted() ?? 0) - callMs, `seed ${seed}`).toBeLessThan(longestSyncMs + tickMs + 4 * wayMs + 1_000 + 4 * wayMs);
    }
  });

  test('an unreachable proxy keeps what it has: nobody takes it from its owner, for however long somebody asks', async () => {
    const cluster = await startLeaseCluster({ seed: 5, nodes: 2, limit: 2n * hold, wayMs: 5 });
    const [holder, other] = twoOf(cluster);
    for (const each of await takeAll(cluster, holder, 2)) each.settle(0n);
    holder.cutOff(true);
    const wanted = wantIt(cluster, other, hold);
    await cluster.advance(60_000);
    expect(heldByFirst(cluster)).toBe(2n * hold);
    expect(wanted()).toBeNull();
    holder.cutOff(false);
    await cluster.advance(8_000);
    expect(wanted()).not.toBeNull();
  });
});
