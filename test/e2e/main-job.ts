import { Type } from 'typebox';
import { expect } from 'vitest';
import type { Endpoints } from '../../services/cli/start/endpoints.ts';
import type { DatabaseConnection } from '../../services/runtime/postgres.ts';
import { eventually } from '../harness/eventually.ts';
import { askGraphql } from '../harness/product.ts';
import { picoFromUsdText } from './independent-cost.ts';
import type { LedgerRow } from './ledger-rows.ts';
import { isSequenced, readJournalShape, readLedger, readRollupSums } from './ledger-rows.ts';
import { activeCalls, readProviderBooks } from './provider-books.ts';
import { reconcile } from './reconcile.ts';
import type { Answer } from './traffic.ts';
import { createTraffic } from './traffic.ts';

/** A running product, on whichever event log, that has not answered a request yet. */
export type MainJobProduct = {
  readonly endpoints: Endpoints;
  /** Every proxy's, which get the requests in turn. */
  readonly proxyUrls: readonly string[];
  readonly database: DatabaseConnection;
  /** SIGKILLs one of these processes; somebody starts it again. */
  readonly kill: (child: 'proxy' | 'ledger') => Promise<unknown>;
  /** How long what was answered may take to be booked after the last kill. */
  readonly patienceMs: number;
};

/** At which part of the traffic who is killed. Twice each: three deaths within a minute are a fault that stops everything. */
const kills: readonly { readonly after: number; readonly children: readonly ('proxy' | 'ledger')[] }[] = [
  { after: 0.15, children: ['proxy'] },
  { after: 0.35, children: ['ledger'] },
  { after: 0.6, children: ['proxy', 'ledger'] },
];

const Usage = Type.Object({
  usage: Type.Object({
    totals: Type.Object({
      requests: Type.String(),
      orphaned: Type.String(),
      cost: Type.Object({ amount: Type.String() }),
      tokens: Type.Object({ output: Type.String(), reasoning: Type.String() }),
    }),
  }),
});

/** The main job (issue 4): every request is in the ledger once, as the provider's books have it, though processes are killed under load. */
export async function proveMainJob(product: MainJobProduct, requests: number, atOnce: number): Promise<void> {
  const startedAt = new Date();
  const { database } = product;
  const answers = await sendAll(product, requests, atOnce);
  await eventually(async () => (await activeCalls(product.endpoints.simUrl)) === 0, 30_000);
  const calls = await readProviderBooks(product.endpoints.simUrl);

  // Everything an application or the provider knows of has to arrive, and the sums have to be those of the lines.
  const known = new Set([...calls.map((call) => call.requestId ?? 'none'), ...answers.flatMap(({ requestId }) => requestId ?? [])]);
  const ledger = await eventually(async () => {
    const sums = await readRollupSums(database);
    const rows = await readLedger(database);
    const booked = new Set(rows.map((row) => row.requestId));
    const missing = [...known].filter((id) => !booked.has(id));
    if (missing.length > 0) throw new Error(`${missing.length} of ${known.size} not in the ledger, such as ${missing.slice(0, 3)}`);
    for (const grain of sums) expect(grain).toMatchObject(sumsOf(rows));
    return rows;
  }, product.patienceMs);
  await eventually(() => isSequenced(database), 30_000);

  // Once, and never twice.
  expect(new Set(ledger.map((row) => row.requestId)).size).toBe(ledger.length);
  expect(await database.db.selectFrom('dead_letters').selectAll().execute()).toEqual([]);
  for (const { positions, ...journal } of await readJournalShape(database)) {
    expect(journal).toEqual({ first: 0n, last: positions - 1n, items: positions });
  }

  const sheets = await database.db.selectFrom('price_versions').select(['name', 'sheet']).execute();
  const found = reconcile(calls, ledger, new Map(sheets.map(({ name, sheet }) => [name, sheet])));
  expect(found.differences.slice(0, 20)).toEqual([]);
  // What was under way when a proxy died is listed, and it is no more than could be under way, reading on for clients that left included.
  expect(found.orphans).toBeLessThanOrEqual(3 * atOnce);
  expect(found.equal).toBeGreaterThan(requests * 0.6);

  const byId = new Map(ledger.map((row) => [row.requestId, row]));
  const wrong = answers.flatMap((answer) => faultOf(answer, byId.get(answer.requestId ?? '')) ?? []);
  expect(wrong.slice(0, 20)).toEqual([]);

  const { usage } = await askGraphql({
    endpoints: product.endpoints,
    schema: Usage,
    query: `query ($from: DateTime!) { usage(range: { from: $from }, interval: HOUR) {
      totals { requests orphaned cost { amount } tokens { output reasoning } } } }`,
    variables: { from: startedAt.toISOString() },
  });
  const sums = sumsOf(ledger);
  expect({ ...usage.totals, cost: picoFromUsdText(usage.totals.cost.amount) }).toEqual({
    requests: String(sums.requests),
    orphaned: String(ledger.filter((row) => row.outcome === 'orphaned').length),
    cost: sums.cost,
    tokens: { output: String(sums.output), reasoning: String(sums.reasoning) },
  });
  console.log(`${answers.length} requests, ${calls.length} provider calls, ${ledger.length} entries: ${JSON.stringify(found)}`);
}

function sumsOf(rows: readonly LedgerRow[]) {
  const sum = (value: (row: LedgerRow) => bigint | null): bigint => rows.reduce((total, row) => total + (value(row) ?? 0n), 0n);
  return {
    requests: BigInt(rows.length),
    cost: sum((row) => row.cost),
    output: sum((row) => row.tokens_output),
    reasoning: sum((row) => row.tokens_reasoning),
  };
}

/** All requests, so many at once, with the kills among them. */
async function sendAll(product: MainJobProduct, requests: number, atOnce: number): Promise<readonly Answer[]> {
  const traffic = product.proxyUrls.map((proxyUrl) => createTraffic({ ...product.endpoints, proxyUrl }));
  const answers: Answer[] = [];
  const pending = [...kills];
  const killed: Promise<unknown>[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < requests) {
      const index = next;
      next += 1;
      const due = pending[0];
      if (due !== undefined && index >= due.after * requests) {
        pending.shift();
        for (const child of due.children) killed.push(product.kill(child));
      }
      // Not the index alone: what an index asks for repeats every twenty.
      const answer = await traffic[Math.floor(index / 3) % traffic.length]?.send(index);
      if (answer !== undefined) answers.push(answer);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  await Promise.all(killed);
  expect(answers).toHaveLength(requests);
  return answers;
}

/** What an application saw against what was booked: null where they agree. */
function faultOf(answer: Answer, row: LedgerRow | undefined): string | null {
  const { index, kind, requestId, costUsd, usage } = answer;
  if (kind === 'failed' || requestId === null) return null;
  if (row === undefined) return `request ${index} was answered as ${requestId}, which is not in the ledger`;
  const where = `request ${index} (${requestId}, ${row.model}, ${row.outcome})`;
  if (kind === 'left') {
    // The answer is read on to its end, so that who leaves a stream is billed what the provider bills.
    const isListed = row.outcome === 'orphaned' || row.usage_source === 'provider';
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
