import { picoFromUsdText } from './independent-cost.ts';
import type { LedgerRow } from './ledger-rows.ts';
import type { ProviderEntry } from './provider-books.ts';
import type { Reconciliation } from './reconcile.ts';
import { reconcile } from './reconcile.ts';
import type { Answer } from './traffic.ts';

/** One organization's journal: what its positions say of themselves. */
export type JournalShape = { readonly positions: bigint; readonly first: bigint; readonly last: bigint; readonly items: bigint };

/** What the rollups of one grain sum to. */
export type RollupSums = {
  readonly grain: string;
  readonly requests: bigint;
  readonly cost: bigint;
  readonly output: bigint | null;
  readonly reasoning: bigint | null;
};

/** All that is held against each other once nothing is under way any more. */
export type Account = {
  readonly calls: readonly ProviderEntry[];
  readonly answers: readonly Answer[];
  readonly ledger: readonly LedgerRow[];
  /** By the name of the price version. */
  readonly sheets: ReadonlyMap<string, unknown>;
  readonly rollups: readonly RollupSums[];
  readonly journals: readonly JournalShape[];
  /** What was kept as dead letters, in words. */
  readonly deadLetters: readonly string[];
};

/** What cannot be known better than it is listed, at most. */
export type Allowance = {
  /** Requests under way in a proxy when it died. */
  readonly orphans: number;
  /** Calls whose answer was lost on its way to the gateway: the provider bills them, and nobody here can know what. */
  readonly unheard: number;
};

export type Verdict = Reconciliation & {
  /** Everything that is wrong, in words; empty when the account holds. */
  readonly problems: readonly string[];
};

/** Refusals that never reached the books, which is what they say. */
const unbooked: readonly unknown[] = ['accounting_unavailable', 'not_ready', 'overloaded'];

/**
 * Holds an account together (DESIGN.md, invariants 1, 4, 5, 6 and 11): every request that an application or the provider knows of
 * is in the ledger once, as the provider's books have it, to the token and the pico-dollar; rollups are the sums of the entries;
 * the journal has each item once and no gap; nothing was put aside.
 */
export function judgeAccount(account: Account, allowance: Allowance): Verdict {
  const { calls, answers, ledger } = account;
  const booked = new Map(ledger.map((row) => [row.requestId, row]));
  const missing = [...knownRequests(calls, answers)].filter((id) => !booked.has(id));
  const twice = duplicatesIn(ledger.map(({ requestId }) => requestId));
  const found = reconcile(calls, ledger, account.sheets, allowance.unheard);
  const problems = [
    ...few(missing, (id) => `${id} is not in the ledger`),
    ...few(twice, (id) => `${id} is in the ledger more than once`),
    ...few(found.differences, (difference) => difference),
    ...few(account.deadLetters, (letter) => `a dead letter: ${letter}`),
    ...account.journals.flatMap((journal) => journalFault(journal) ?? []),
    ...account.rollups.flatMap((sums) => rollupFault(sums, ledger) ?? []),
    ...(account.rollups.length === 0 ? ['there are no rollups'] : []),
    ...few(
      answers.flatMap((answer) => faultOf(answer, booked.get(answer.requestId ?? ''), allowance.unheard > 0) ?? []),
      (fault) => fault,
    ),
    ...(found.orphans > allowance.orphans ? [`${found.orphans} orphans, where at most ${allowance.orphans} requests were under way`] : []),
    ...(found.unheard > allowance.unheard
      ? [`${found.unheard} answers were lost on their way, where at most ${allowance.unheard} can have been`]
      : []),
  ];
  return { ...found, problems };
}

/** Every request that an application got an id of, or the provider a call for. */
export function knownRequests(calls: readonly ProviderEntry[], answers: readonly Answer[]): ReadonlySet<string> {
  return new Set([
    ...calls.map((call) => call.requestId ?? 'none'),
    ...answers.flatMap(({ requestId, error }) => (requestId === null || unbooked.includes(codeOf(error)) ? [] : requestId)),
  ]);
}

export function sumsOf(rows: readonly LedgerRow[]) {
  const sum = (value: (row: LedgerRow) => bigint | null): bigint => rows.reduce((total, row) => total + (value(row) ?? 0n), 0n);
  return {
    requests: BigInt(rows.length),
    cost: sum((row) => row.cost),
    output: sum((row) => row.tokens_output),
    reasoning: sum((row) => row.tokens_reasoning),
  };
}

const mostNamed = 10;

/** The first few of many, and how many more there are: a broken account is wrong in thousands of places. */
function few<Item>(items: readonly Item[], say: (item: Item) => string): readonly string[] {
  const named = items.slice(0, mostNamed).map(say);
  return items.length > mostNamed ? [...named, `… and ${items.length - mostNamed} more of the kind`] : named;
}

function duplicatesIn(ids: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return ids.filter((id) => seen.size === seen.add(id).size);
}

function journalFault({ positions, first, last, items }: JournalShape): string | null {
  if (first === 0n && last === positions - 1n && items === positions) return null;
  return `a journal has ${positions} positions from ${first} to ${last} for ${items} items`;
}

function rollupFault({ grain, ...sums }: RollupSums, ledger: readonly LedgerRow[]): string | null {
  const wanted = sumsOf(ledger);
  const other = Object.entries(wanted).filter(([name, value]) => (Object.entries(sums).find(([key]) => key === name)?.[1] ?? 0n) !== value);
  return other.length === 0 ? null : `${grain} does not sum to the entries in ${other.map(([name]) => name).join(', ')}`;
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
}

/** What an application saw against what was booked: null where they agree. */
function faultOf(answer: Answer, row: LedgerRow | undefined, mayBeUnheard: boolean): string | null {
  const { index, kind, requestId, costUsd, usage } = answer;
  if (kind === 'failed' || requestId === null) return null;
  if (row === undefined) return `request ${index} was answered as ${requestId}, which is not in the ledger`;
  const where = `request ${index} (${requestId}, ${row.model}, ${row.outcome})`;
  if (kind === 'left') {
    // The answer is read on to its end, so that who leaves a stream is billed what the provider bills.
    const isListed = row.outcome === 'orphaned' || row.usage_source === 'provider' || (mayBeUnheard && row.unrated !== null);
    return isListed ? null : `${where} was left, and nobody read its usage: ${row.unrated}`;
  }
  if (row.outcome !== 'succeeded') return `${where} was answered whole`;
  if (answer.expectedText !== null && answer.text !== answer.expectedText) return `${where} said ${JSON.stringify(answer.text)}`;
  if (!row.stream && (costUsd === null || picoFromUsdText(costUsd) !== row.cost))
    return `${where}: told ${costUsd} USD, booked ${row.cost} pico-USD`;
  if (usage === null) return null;
  const prompt =
    (row.tokens_input ?? 0n) + (row.tokens_cache_read ?? 0n) + (row.tokens_cache_write_5m ?? 0n) + (row.tokens_input_audio ?? 0n);
  const completion = (row.tokens_output ?? 0n) + (row.tokens_reasoning ?? 0n) + (row.tokens_output_audio ?? 0n);
  const same = BigInt(usage.prompt_tokens) === prompt && BigInt(usage.completion_tokens) === completion;
  return same ? null : `${where}: told ${JSON.stringify(usage)}`;
}
