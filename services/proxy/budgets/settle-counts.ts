import type { Ending } from '../settlement/settle.ts';
import type { PlannedCount, SettledCounts } from './budget-counts.ts';
import { costOf } from './hold-costs.ts';
import type { WatchedLimits } from './watched-limits.ts';

/**
 * What a request used of each limit, in its unit, and which audited budgets would have refused it: judged by what was known when it was let through, or, of
 * a limit that this process had not looked at lately, by what it has learnt since. What is not known is judged by nobody. Where a price or usage is not
 * known, the most it may have used counts.
 */
export function settleCounts(counts: readonly PlannedCount[], ending: Ending, audited: Pick<WatchedLimits, 'lastSeen'>): SettledCounts {
  const counted: SettledCounts['counted'] = [];
  const wouldRefuse: SettledCounts['wouldRefuse'] = [];
  // One request's amounts are few, whatever the number of its budgets: the same as just before is not printed again.
  let last = { cost: 0n, text: '0' };
  for (const count of counts) {
    const { budget, limit, group, amount, sight } = count;
    const cost = costOf(count, ending) ?? amount ?? 0n;
    if (cost !== last.cost) last = { cost, text: cost.toString() };
    if (cost > 0n) counted.push({ limit, group, cost: last.text });
    // Its first limit that is short speaks for a budget.
    if (budget.enforcement !== 'audit' || wouldRefuse.some((refusal) => refusal.budget === budget.id)) continue;
    if (amount === null) {
      wouldRefuse.push({ budget: budget.id, limit, needed: null, amount: null, settled: null });
      continue;
    }
    const known = sight ?? audited.lastSeen(limit, group);
    if (known === null || known.settled + amount <= known.amount) continue;
    const { amount: most, settled } = known;
    wouldRefuse.push({ budget: budget.id, limit, needed: amount.toString(), amount: most.toString(), settled: settled.toString() });
  }
  return { counted, wouldRefuse };
}
