/** One line of the journal, of a request of the budget's key. */
export type BudgetEntry = {
  readonly requestId: string;
  readonly outcome: string;
  readonly errorCode: string | null;
  /** Of the counter that is judged; null where it holds nothing of it. */
  readonly hold: { readonly hold: bigint; readonly debit: bigint; readonly cost: bigint } | null;
  /** What it was told when the counter's limit refused it; null where another thing did, or nothing. */
  readonly refused: { readonly needed: bigint; readonly amount: bigint; readonly settled: bigint } | null;
};

/** All that is held against each other of one counter once nothing is under way any more. */
export type BudgetAccount = {
  readonly limit: bigint;
  /** By position. */
  readonly entries: readonly BudgetEntry[];
  readonly counter: { readonly settled: bigint; readonly held: bigint; readonly lost: bigint; readonly overrun: bigint };
  /** What the provider bills for each request that it was called for and that this counter counts, by its own books. */
  readonly billed: ReadonlyMap<string, bigint>;
  /** What the leases of lost disks held of the counter when they were listed as lost: for calls that no entry tells of. Null where no disk was lost. */
  readonly lostRoom: bigint | null;
  /** No request holds more, but those that can be made to: what is billed above it for a call that no entry tells of is reported by nobody. */
  readonly mostHold: bigint;
  /** A hold of no more than this fits nothing that could still be asked. Null where the counter was not to be used up. */
  readonly smallest: bigint | null;
};

export type BudgetVerdict = {
  /** What the provider billed in all, and what of it the overruns report. */
  readonly billed: bigint;
  readonly overrun: bigint;
  /** What the provider billed for requests that died with their proxy, beyond their holds: no one is left to report it. */
  readonly unreported: bigint;
  readonly orphans: number;
  /** Calls that are in no entry, since the disk was lost that knew of them. */
  readonly lost: number;
  /** Everything that is wrong, in words. */
  readonly problems: readonly string[];
};

/**
 * Holds a counter together: at every position of the ledger the provider has billed at most the limit and the overruns reported by then; nothing is
 * held any more but what is called lost; nobody was refused for good who would have fitted; and all of the limit could be used. What was billed for
 * calls that a lost disk knew of counts from the first position on, and was held.
 */
export function judgeBudget({ limit, entries, counter, billed, lostRoom, mostHold, smallest }: BudgetAccount): BudgetVerdict {
  const problems: string[] = [];
  const known = new Set(entries.map(({ requestId }) => requestId));
  const missing = [...billed].filter(([requestId]) => !known.has(requestId));
  const missingBills = missing.map(([, bill]) => bill);
  const coverable = sum(missingBills.filter((bill) => bill <= mostHold));
  if (lostRoom === null && missing.length > 0)
    problems.push(`${missing.length} calls of the provider are in no entry, such as ${missing[0]?.[0]}`);
  if (lostRoom !== null && coverable > lostRoom) problems.push(`lost disks held ${lostRoom} for calls that were billed ${coverable}`);
  let truth = sum(missingBills);
  let unreported = truth - coverable;
  let overrun = 0n;
  let settled = 0n;
  let orphans = 0;
  let isOver = false;
  const booked = new Set<string>();
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
      if (hold !== null && (hold.debit !== hold.hold || cost !== hold.hold))
        problems.push(`${requestId} died, held ${hold.hold} and was counted at ${cost}, debited ${hold.debit}`);
      if (bill > cost) unreported += bill - cost;
    } else if (bill > cost) problems.push(`${requestId} (${outcome}) was billed ${bill} and counted at ${cost}`);
    if (truth - unreported > limit + overrun && !isOver) {
      isOver = true;
      problems.push(`after ${position + 1} entries the provider has billed ${truth}, the limit is ${limit}, overruns are ${overrun}`);
    }
    if (refused !== null && refused.settled > settled)
      problems.push(`${requestId} was told of ${refused.settled} used where ${settled} was in the books`);
    if (errorCode === 'insufficient_quota' && refused !== null && refused.needed <= refused.amount - refused.settled)
      problems.push(`${requestId} was refused for good: ${refused.needed} needed, ${refused.settled} of ${refused.amount} used`);
  }
  if (counter.settled !== settled) problems.push(`settled is ${counter.settled}, the entries come to ${settled}`);
  if (counter.overrun !== overrun) problems.push(`the overrun is ${counter.overrun}, the entries come to ${overrun}`);
  if (counter.held !== counter.lost) problems.push(`${counter.held} is still held, of which ${counter.lost} is lost`);
  if (lostRoom === null && counter.lost > 0n) problems.push(`${counter.lost} is called lost, and no disk was`);
  const left = limit - counter.settled - counter.held;
  if (smallest !== null && left >= smallest) problems.push(`${left} is left and was not used`);
  return { billed: truth, overrun, unreported, orphans, lost: missing.length, problems };
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((one, other) => one + other, 0n);
