import { seededRandom } from '../../harness/seeded-random.ts';
import type { ClusterNode, LeaseCluster } from './lease-cluster.ts';

/** Applications of one node that call, one call after the other each, and come back after a refusal when they are told to. */
export interface Demand {
  readonly clients: number;
  readonly hold: bigint;
  readonly cost: bigint;
  /** Mean length of a call; each takes between half and one and a half of it. */
  readonly callMs: number;
  /** Since the cluster began. */
  readonly startsMs?: number;
}

/** What became of them by now. */
export interface Served {
  admitted: number;
  /** By code of the refusal. */
  readonly refused: Map<string, number>;
  /** The longest time without a request that was let through. */
  longestWaitMs(): number;
}

const RETRY_MS = 1_000;
/** Between two calls of one application. */
const LONGEST_PAUSE_MS = 20;

export function demand(cluster: LeaseCluster, node: ClusterNode, seed: number, wanted: Demand): Served {
  const dice = seededRandom(seed);
  const { clients, hold, cost, callMs, startsMs = 0 } = wanted;
  let letThroughAt = cluster.now() + startsMs;
  let longest = 0;
  const served: Served = {
    admitted: 0,
    refused: new Map(),
    longestWaitMs: () => Math.max(longest, cluster.now() - letThroughAt),
  };
  const call = (): void => {
    node.take(hold, (admitted, refusal) => {
      if (admitted === null) {
        const code = refusal?.code ?? 'none';
        served.refused.set(code, (served.refused.get(code) ?? 0) + 1);
        if (code !== 'insufficient_quota') cluster.after(RETRY_MS * (refusal?.retryAfterSeconds ?? 1), call);
        return;
      }
      served.admitted += 1;
      longest = served.longestWaitMs();
      letThroughAt = cluster.now();
      cluster.after(callMs * (0.5 + dice.fraction()), () => {
        admitted.settle(cost);
        cluster.after(dice.fraction() * LONGEST_PAUSE_MS, call);
      });
    });
  };
  for (let client = 0; client < clients; client += 1) cluster.after(startsMs + dice.fraction() * 100, call);
  return served;
}
