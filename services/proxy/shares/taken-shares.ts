import { holdCosts } from '../budgets/hold-costs.ts';
import type { Ending } from '../settlement/settle.ts';
import type { PlannedShare } from './planned-share.ts';
import type { TakenShare } from './share-book.ts';
import type { ShareNode } from './share-node.ts';

/** What a request has of shared limits until it is over, however it ends. */
export interface TakenShares {
  /** Its call is over: what it did not use comes back, as far as it still counts. */
  settle(ending: Ending): void;
  /** It was never sent: all comes back. */
  release(): void;
}

export function createTakenShares(
  node: Pick<ShareNode, 'settle'>,
  planned: readonly PlannedShare[],
  taken: readonly TakenShare[],
): TakenShares {
  let isOver = false;
  const end = (costs: readonly bigint[]): void => {
    if (isOver) return;
    isOver = true;
    node.settle(taken, costs);
  };
  return {
    settle: (ending) => {
      const costs = holdCosts(
        planned.map((share, index) => ({ ...share, counter: String(index) })),
        ending,
      );
      end(planned.map(({ amount }, index) => costs.get(String(index)) ?? amount));
    },
    release: () => end(planned.map(() => 0n)),
  };
}
