/** One line of the journal, of a request of the budget's key. */
export type BudgetEntry = {
  readonly requestId: string;
  readonly outcome: string;
  readonly model: string | null;
  readonly errorCode: string | null;
  /** Of the budget's counter; null where it holds nothing of it. */
  readonly hold: { readonly debit: bigint; readonly cost: bigint } | null;
  /** What it was told when the budget refused it; null where another thing did, or nothing. */
  readonly refused: { readonly needed: bigint; readonly amount: bigint; readonly settled: bigint } | null;
};

/** All that is held against each other once nothing is under way any more. */
export type BudgetAccount = {
  readonly limit: bigint;
  /** By position. */
  readonly entries: readonly BudgetEntry[];
  readonly counter: { readonly settled: bigint; readonly held: bigint; readonly lost: bigint; readonly overrun: bigint };
  /** What the provider bills for each request it was called for, by its own books. */
  readonly billed: ReadonlyMap<string, bigint>;
  /** A hold of no more than this fits nothing that could still be asked. */
  readonly smallest: bigint;
};

export type BudgetVerdict = {
  /** What the provider billed in all, and what of it the overruns report. */
  readonly billed: bigint;
  readonly overrun: bigint;
  /** What the provider billed for requests that died with their proxy, beyond their holds: no one is left to report it. */
  readonly unreported: bigint;
  readonly orphans: number;
  /** Everything that is wrong, in words. */
  readonly problems: readonly string[];
};

/**
 * Holds a budget together: at every position of the ledger the provider has billed at most the limit and the overruns reported by then; nothing is
 * held any more but what is called lost; nobody was refused for good who would have fitted; and all of the limit could be used.
 */
export function judgeBudget({ limit, entries, counter, billed, smallest }: BudgetAccount): BudgetVerdict {
  const problems: string[] = [];
  const booked = new Set<string>();
  let truth = 0n;
  let overrun = 0n;
  let settled = 0n;
  let unreported = 0n;
  let orphans = 0;
  for (const [position, entry] of entries.entries()) {
    const { requestId, outcome, hold, refused, errorCode } = entry;
    const bill = billed.get(requestId) ?? 0n;
    if (booked.has(requestId)) problems.push(`${requestId} is booked twice`);
    booked.add(requestId);
    if (hold === null && bill > 0n) problems.push(`${requestId} was billed ${bill} and held nothing`);
    const cost = hold?.cost ?? 0n;
    truth += bill;
    settled += cost;
    if (hold !== null && cost > hold.debit) overrun += cost - hold.debit;
    if (outcome === 'orphaned') {
      orphans += 1;
      if (bill > cost) unreported += bill - cost;
    } else if (bill > cost) problems.push(`${requestId} (${outcome}) was billed ${bill} and counted at ${cost}`);
    if (truth - unreported > limit + overrun && problems.length === 0) {
      problems.push(`after ${position + 1} entries the provider has billed ${truth}, the limit is ${limit}, overruns are ${overrun}`);
    }
    if (errorCode === 'insufficient_quota' && refused !== null && refused.needed <= refused.amount - refused.settled) {
      problems.push(`${requestId} was refused for good: ${refused.needed} needed, ${refused.settled} of ${refused.amount} used`);
    }
  }
  const missing = [...billed.keys()].filter((id) => !booked.has(id));
  if (missing.length > 0) problems.push(`${missing.length} calls of the provider are in no entry, such as ${missing[0]}`);
  if (counter.settled !== settled) problems.push(`settled is ${counter.settled}, the entries come to ${settled}`);
  if (counter.overrun !== overrun) problems.push(`the overrun is ${counter.overrun}, the entries come to ${overrun}`);
  if (counter.held !== counter.lost) problems.push(`${counter.held} is still held, of which ${counter.lost} is lost`);
  if (limit - counter.settled - counter.held >= smallest)
    problems.push(`${limit - counter.settled - counter.held} is left and was not used`);
  return { billed: truth, overrun, unreported, orphans, problems };
}
