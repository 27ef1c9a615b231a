import type { Ending } from '../settlement/settle.ts';
import type { AuditedLimits } from './audited-limits.ts';
import type { PlannedCount, SettledCounts } from './budget-counts.ts';
import { holdCosts } from './hold-costs.ts';

/**
 * What a request used of each limit, in its unit, and which audited budgets would have refused it: judged by what was known when it was let through, or, of
 * a limit that this process had not looked at lately, by what it has learnt since. What is not known is judged by nobody. Where a price or usage is not
 * known, the most it may have used counts.
 */
export function settleCounts(counts: readonly PlannedCount[], ending: Ending, audited: Pick<AuditedLimits, 'lastSeen'>): SettledCounts {
  const costs = holdCosts(
    counts.map((count, index) => ({ ...count, amount: count.amount ?? 0n, counter: String(index) })),
    ending,
  );
  const counted: SettledCounts['counted'] = [];
  const refusals = new Map<string, SettledCounts['wouldRefuse'][number]>();
  for (const [index, { budget, limit, group, amount, sight }] of counts.entries()) {
    const cost = costs.get(String(index)) ?? amount ?? 0n;
    if (cost > 0n) counted.push({ limit, group, cost: cost.toString() });
    if (budget.enforcement !== 'audit' || refusals.has(budget.id)) continue;
    if (amount === null) {
      refusals.set(budget.id, { budget: budget.id, limit, needed: null, amount: null, settled: null });
      continue;
    }
    const known = sight ?? audited.lastSeen(limit, group);
    if (known === null || known.settled + amount <= known.amount) continue;
    const { amount: most, settled } = known;
    refusals.set(budget.id, { budget: budget.id, limit, needed: amount.toString(), amount: most.toString(), settled: settled.toString() });
  }
  return { counted, wouldRefuse: [...refusals.values()] };
}
