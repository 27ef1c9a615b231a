import { Type } from 'typebox';
import { expect } from 'vitest';
import type { Endpoints } from '../../services/cli/start/endpoints.ts';
import type { DatabaseConnection } from '../../services/runtime/postgres.ts';
import { eventually } from '../harness/eventually.ts';
import { askGraphql } from '../harness/product.ts';
import { picoFromUsdText } from './independent-cost.ts';
import { judgeAccount, knownRequests, sumsOf } from './judge-account.ts';
import { isSequenced, readRequestIds } from './ledger-rows.ts';
import { activeCalls, readProviderBooks } from './provider-books.ts';
import { readBooks } from './read-books.ts';
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
  const known = knownRequests(calls, answers);
  await eventually(async () => {
    const booked = await readRequestIds(database);
    const missing = [...known].filter((id) => !booked.has(id));
    if (missing.length > 0) throw new Error(`${missing.length} of ${known.size} not in the ledger, such as ${missing.slice(0, 3)}`);
    return isSequenced(database);
  }, product.patienceMs);
  const books = await readBooks(database);
  const { ledger } = books;
  // What was under way when a proxy died is listed, and it is no more than could be under way, reading on for clients that left included.
  const { problems, ...found } = judgeAccount({ ...books, calls, answers }, { orphans: 3 * atOnce, unheard: 0 });
  expect(problems).toEqual([]);
  expect(found.equal).toBeGreaterThan(requests * 0.6);

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
