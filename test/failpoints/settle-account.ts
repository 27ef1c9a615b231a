import { expect } from 'vitest';
import { recomputeRollups } from '../../services/ledger/recompute-rollups.ts';
import { ROLLUP_GRAINS } from '../../services/ledger/rollups.ts';
import type { Verdict } from '../e2e/judge-account.ts';
import { judgeAccount, knownRequests } from '../e2e/judge-account.ts';
import { isSequenced, readRequestIds } from '../e2e/ledger-rows.ts';
import { activeCalls, readProviderBooks } from '../e2e/provider-books.ts';
import { readBooks } from '../e2e/read-books.ts';
import type { Answer } from '../e2e/traffic.ts';
import { createTraffic } from '../e2e/traffic.ts';
import { eventually } from '../harness/eventually.ts';
import type { Installation } from './installation.ts';

/** What came of it all, and the ids of the requests that are in the ledger. */
export type SettledAccount = Verdict & { readonly requestIds: ReadonlySet<string> };

/**
 * Waits until all that anybody knows of is booked and sequenced, and judges it. Dead letters are not judged.
 * @param answered all answers of the traffic, which has ended.
 * @param orphans requests that may have been under way in a proxy when it died.
 */
export async function settleAccount(
  { endpoints, database: { owner } }: Installation,
  answered: readonly Answer[],
  orphans: number,
  patienceMs: number,
): Promise<SettledAccount> {
  await eventually(async () => (await activeCalls(endpoints.simUrl)) === 0, patienceMs);
  await eventually(() => hasNothingOpen(endpoints.proxyUrl), patienceMs);
  // All are of one key, hence of one partition: whatever nobody but the spool knew of is in the books before this one.
  const answers = [...answered, await createTraffic(endpoints).send(0)];
  const calls = await readProviderBooks(endpoints.simUrl);
  const known = knownRequests(calls, answers);
  const requestIds = await eventually(async () => {
    const booked = await readRequestIds(owner);
    const missing = [...known].filter((id) => !booked.has(id));
    if (missing.length > 0) throw new Error(`${missing.length} of ${known.size} not in the ledger, such as ${missing.slice(0, 3)}`);
    return (await isSequenced(owner)) ? booked : null;
  }, patienceMs);
  const range = { from: new Date(0), until: new Date(Date.UTC(2100, 0)) };
  for (const grain of ROLLUP_GRAINS) expect(await recomputeRollups(owner.db, grain, range)).toEqual([]);
  const books = { ...(await readBooks(owner)), deadLetters: [] };
  return { ...judgeAccount({ ...books, calls, answers }, { orphans, unheard: 0 }), requestIds };
}

/** Whether each request that the proxy opened is settled, orphans of its earlier lives included. */
async function hasNothingOpen(proxyUrl: string): Promise<boolean> {
  const metrics = await (await fetch(new URL('/metrics', proxyUrl))).text();
  return /^turnpike_spool_open\S* 0$/m.test(metrics);
}
