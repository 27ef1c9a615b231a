import type { ProviderEntry } from '../../e2e/provider-books.ts';
import type { BudgetWorld, OneDollar } from './budget-world.ts';
import { inputPico, outputPico } from './budget-world.ts';
import { asCounted, billsOf, readCounted } from './counted-requests.ts';
import { countersOf } from './dollar-counters.ts';
import type { BudgetVerdict } from './judge-budget.ts';
import { judgeBudget } from './judge-budget.ts';
import type { LostRoom } from './lost-disks.ts';

/** Some 900 tokens of a prompt and 80 of an answer; what overruns its hold on purpose bills more than twice as much. */
export const mostHoldPico = 900n * inputPico + 80n * outputPico;

/** One verdict on each counter of a dollar; `main` is that on the dollar itself. @param patient whether all idle room was waited for. */
export async function judgeCounters(
  world: BudgetWorld,
  dollar: OneDollar,
  { calls, room, patient }: { readonly calls: readonly ProviderEntry[]; readonly room: LostRoom | null; readonly patient: boolean },
) {
  const requests = await readCounted(world, dollar);
  const bills = billsOf(calls, requests);
  const called = new Map(calls.map(({ requestId }) => [requestId ?? 'without a name', 1n]));
  const problems: string[] = [];
  let main: BudgetVerdict | null = null;
  let settled = 0n;
  const counters = await countersOf(world, dollar);
  for (const counter of counters) {
    const { id, limit_id: limit, unit } = counter;
    const isMain = limit === dollar.limitId;
    const all = asCounted(requests, id, limit);
    const isOfUser = unit === 'usd' && !isMain;
    const held = new Set(all.flatMap(({ requestId, hold }) => (hold === null ? [] : [requestId])));
    const verdict = judgeBudget({
      limit: counter.amount,
      // Of the others, who nobody waited for may be idle still.
      counter: isMain || patient ? counter : { ...counter, held: counter.lost },
      entries: isOfUser ? all.filter(({ hold }) => hold !== null) : all,
      // Whose a call is that no entry tells of is not known.
      billed: isOfUser ? new Map([...bills].filter(([requestId]) => held.has(requestId))) : unit === 'usd' ? bills : called,
      lostRoom: room === null ? null : (room.get(id)?.held ?? 0n),
      mostHold: unit === 'usd' ? mostHoldPico : 1n,
      smallest: isMain ? outputPico : null,
    });
    problems.push(...verdict.problems.map((problem) => `${unit}${isOfUser ? ' of a user' : ''}: ${problem}`));
    if (!isMain) continue;
    main = verdict;
    settled = counter.settled;
  }
  if (main === null) throw new Error('nothing was ever leased');
  const refusals = requests.filter(({ refusedBy }) => refusedBy?.limit === dollar.limitId).length;
  return { main, problems, settled, entries: requests.length, counters: counters.length, refusals };
}
