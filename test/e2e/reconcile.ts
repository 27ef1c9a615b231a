import { independentCost, tokenColumns } from './independent-cost.ts';
import type { LedgerRow } from './ledger-rows.ts';
import type { ProviderEntry } from './provider-books.ts';

/** Where every call of the provider and every line of the ledger went. */
export type Reconciliation = {
  /** Calls whose line is the same to the token and the pico-dollar. */
  readonly equal: number;
  /** Refused by the provider, which bills nothing: booked at 0. */
  readonly refused: number;
  /** The provider broke off or was left before it told its count: listed without tokens and without a cost. */
  readonly untold: number;
  /** The provider told its count or refused, and the answer was lost on its way: listed without tokens and without a cost. */
  readonly unheard: number;
  /** Calls and requests of a proxy that was killed: listed as orphans without a cost. */
  readonly orphans: number;
  /** Lines of requests that never reached the provider, orphans apart. */
  readonly uncalled: number;
  readonly differences: readonly string[];
};

/**
 * Holds the provider's books against the ledger, call by call, joined by the request's id. Every line and every call is in exactly one place.
 * @param mostUnheard how many answers may have been lost between provider and gateway; it is counted whether the bound holds.
 */
export function reconcile(
  calls: readonly ProviderEntry[],
  ledger: readonly LedgerRow[],
  sheets: ReadonlyMap<string, unknown>,
  mostUnheard = 0,
): Reconciliation {
  const rows = new Map(ledger.map((row) => [row.requestId, row]));
  const counts = { equal: 0, refused: 0, untold: 0, unheard: 0, orphans: 0, uncalled: 0 };
  const differences: string[] = [];
  const called = new Set<string>();
  const place = (bucket: keyof typeof counts, where: string, fault: string | null): void => {
    counts[bucket] += 1;
    if (fault !== null) differences.push(`${where}: ${fault}`);
  };

  for (const call of calls) {
    const id = call.requestId ?? '';
    const where = `call ${call.sequence} of ${id} (${call.model}, ${call.outcome})`;
    const row = rows.get(id);
    if (called.has(id)) differences.push(`${where}: a second call under the same id`);
    called.add(id);
    if (row === undefined) differences.push(`${where}: not in the ledger`);
    else if (row.outcome === 'orphaned') place('orphans', where, unknownFault(row));
    else if (
      (call.reported !== null || call.outcome === 'refused') &&
      mostUnheard > 0 &&
      row.outcome !== 'succeeded' &&
      unknownFault(row) === null
    )
      place('unheard', where, null);
    else if (call.reported !== null) place('equal', where, equalFault(call, call.reported, row, sheets));
    else if (call.outcome === 'refused') place('refused', where, freeFault(row));
    else place('untold', where, unknownFault(row));
  }
  for (const row of ledger) {
    if (called.has(row.requestId)) continue;
    const where = `${row.requestId} (${row.model}, ${row.outcome})`;
    if (row.outcome === 'orphaned') place('orphans', where, unknownFault(row));
    else place('uncalled', where, row.outcome === 'succeeded' ? 'succeeded without a call' : uncalledFault(row));
  }
  return { ...counts, differences };
}

function equalFault(
  call: ProviderEntry,
  reported: NonNullable<ProviderEntry['reported']>,
  row: LedgerRow,
  sheets: ReadonlyMap<string, unknown>,
): string | null {
  // What the provider told is what it bills.
  if (call.outcome === 'finished' && JSON.stringify(call.billed) !== JSON.stringify(reported))
    return 'the provider bills another count than it told';
  const wanted = Object.entries(tokenColumns(reported));
  const booked = new Map<string, unknown>(Object.entries(row));
  const other = wanted.filter(([column, tokens]) => booked.get(column) !== tokens);
  if (other.length > 0) return other.map(([column, tokens]) => `${column} should be ${tokens}, is ${booked.get(column)}`).join(', ');
  const cost = independentCost(reported, sheets.get(row.price_version ?? ''));
  if (row.cost !== cost) return `should cost ${cost}, is booked at ${row.cost} (${row.unrated})`;
  if (row.proxy_cost !== cost) return `the proxy told ${row.proxy_cost}, it costs ${cost}`;
  return row.usage_source === 'provider' && row.unrated === null ? null : `source ${row.usage_source}, unrated ${row.unrated}`;
}

function freeFault(row: LedgerRow): string | null {
  return row.cost === 0n && tokensOf(row).length === 0 ? null : `should cost nothing, is booked at ${row.cost} (${row.unrated})`;
}

function unknownFault(row: LedgerRow): string | null {
  const isUnknown = row.cost === null && row.unrated !== null && tokensOf(row).length === 0 && row.flags.includes('usage_missing');
  return isUnknown ? null : `nobody knows its usage, yet it is booked at ${row.cost} (${row.unrated}) with ${tokensOf(row)}`;
}

function uncalledFault(row: LedgerRow): string | null {
  return (row.cost === null || row.cost === 0n) && tokensOf(row).length === 0 ? null : `was never called, yet is booked at ${row.cost}`;
}

/** Names of the token columns that say something. */
function tokensOf(row: LedgerRow): readonly string[] {
  return Object.entries(row).flatMap(([name, value]) => (name.startsWith('tokens_') && value !== null ? [name] : []));
}
