import { sql } from 'kysely';
import { idFromUuid } from '../../../schema/values/ids.ts';
import type { ProviderEntry } from '../../e2e/provider-books.ts';
import type { BudgetWorld, OneDollar } from './budget-world.ts';
import { inputPico, lastCentModel, outputPico } from './budget-world.ts';
import type { BudgetEntry } from './judge-budget.ts';

/** One line of the journal, with what it held of every counter. */
export type CountedRequest = {
  readonly requestId: string;
  readonly outcome: string;
  readonly model: string | null;
  readonly errorCode: string | null;
  readonly holds: ReadonlyMap<string, { readonly hold: bigint; readonly debit: bigint; readonly cost: bigint }>;
  readonly refusedBy: { readonly limit: string; readonly needed: bigint; readonly amount: bigint; readonly settled: bigint } | null;
};

/** All requests of a dollar's key, by position, in the words of their events. */
export async function readCounted({ database }: BudgetWorld, { keyUuid }: OneDollar): Promise<readonly CountedRequest[]> {
  type Hold = { readonly counter: string; readonly hold: string; readonly debit: string; readonly cost: string };
  type Row = {
    request_id: string;
    outcome: string;
    model: string | null;
    error_code: string | null;
    holds: readonly Hold[];
    refused: Record<string, string | null> | null;
  };
  const { rows } = await sql<Row>`
    select request_id, outcome, model, error_code, event -> 'holds' as holds, event -> 'refusedBy' as refused
    from ledger_entries join journal_positions on item_id = entry_id,
      lateral (select convert_from(body, 'UTF8')::jsonb as event) as parsed
    where api_key_id = ${keyUuid} order by position`.execute(database.db);
  return rows.map(({ request_id, outcome, model, error_code, holds, refused }) => ({
    requestId: idFromUuid('request', request_id),
    outcome,
    model,
    errorCode: error_code,
    holds: new Map(
      holds.map(({ counter, hold, debit, cost }) => [counter, { hold: BigInt(hold), debit: BigInt(debit), cost: BigInt(cost) }]),
    ),
    refusedBy:
      refused?.limit == null || refused.amount == null || refused.settled == null || refused.needed == null
        ? null
        : {
            limit: refused.limit,
            needed: BigInt(refused.needed),
            amount: BigInt(refused.amount),
            settled: BigInt(refused.settled),
          },
  }));
}

/** The same requests as one counter sees them. */
export function asCounted(requests: readonly CountedRequest[], counter: string, limit: string): readonly BudgetEntry[] {
  return requests.map(({ requestId, outcome, errorCode, holds, refusedBy }) => ({
    requestId,
    outcome,
    errorCode,
    hold: holds.get(counter) ?? null,
    refused: refusedBy?.limit === limit ? refusedBy : null,
  }));
}

/** What the provider bills in pico-USD, worked out apart from the product. A call that is in no entry is one of the load's. */
export function billsOf(calls: readonly ProviderEntry[], requests: readonly CountedRequest[]): ReadonlyMap<string, bigint> {
  const free = new Set(requests.flatMap(({ requestId, model }) => (model === `sim/${lastCentModel}` ? [requestId] : [])));
  const bills = new Map<string, bigint>();
  for (const { requestId, billed } of calls) {
    if (requestId === null || billed === null) continue;
    const input = free.has(requestId) ? 0n : inputPico;
    const bill = BigInt(billed.promptTokens) * input + BigInt(billed.completionTokens) * outputPico;
    bills.set(requestId, (bills.get(requestId) ?? 0n) + bill);
  }
  return bills;
}
