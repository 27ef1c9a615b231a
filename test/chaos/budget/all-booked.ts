import { sql } from 'kysely';
import { uuidFromId } from '../../../schema/values/ids.ts';
import { activeCalls } from '../../e2e/provider-books.ts';
import { eventually } from '../../harness/eventually.ts';
import type { BudgetWorld, OneDollar } from './budget-world.ts';

/** Everything is up again by then, and booked. */
const drainMs = 180_000;

/** Resolves once nothing is under way and the ledger has a position for whatever any proxy wrote of the dollar. */
export async function allBooked(world: BudgetWorld, dollar: OneDollar): Promise<void> {
  await eventually(async () => {
    if ((await activeCalls(world.simUrl)) > 0) throw new Error('the provider still answers');
    for (const { url, name } of world.proxies) {
      const text = await (await fetch(`${url()}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();
      for (const figure of ['spool_open', 'spool_unsent']) {
        if (!new RegExp(`^turnpike_${figure}\\S* 0$`, 'm').test(text)) throw new Error(`${name} has not handed over everything: ${figure}`);
      }
    }
    return true;
  }, drainMs);
  // The log of one key keeps its order: once this is booked, all that came before it is.
  const last = await eventually(async () => {
    const response = await fetch(`${world.proxies[0]?.url()}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${dollar.secret}` },
      body: JSON.stringify({ model: 'sim/none', messages: [{ role: 'user', content: 'the last one' }] }),
    });
    await response.arrayBuffer();
    return response.status === 404 ? response.headers.get('x-request-id') : null;
  }, drainMs);
  await isBooked(world, last);
}

export async function isBooked({ database }: BudgetWorld, requestId: string): Promise<void> {
  const id = uuidFromId('request', requestId);
  await eventually(async () => {
    const { rows } = await sql`select from ledger_entries join journal_positions on item_id = entry_id where request_id = ${id}`.execute(
      database.db,
    );
    return rows.length > 0;
  }, drainMs);
}
