import type { Transaction } from 'kysely';
import { sql } from 'kysely';
import type { RequestSettled } from '../../schema/events/request-settled.v1.ts';
import { parseRequestSettled } from '../../schema/events/request-settled-parser.ts';
import type { Database } from '../../schema/tables/database.ts';
import { uuidFromId, uuidTimeMs } from '../../schema/values/ids.ts';
import { readBodyHashes } from '../journal/append-entries.ts';

type Hold = RequestSettled['holds'][number];

/** A dead letter, locked, with what is erased when it is discarded. */
export interface DiscardedLetter {
  /** uuid. */
  readonly organizationId: string;
  /** SHA-256 of the value in hex. */
  readonly hash: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Settles what the event of a letter that is being discarded had debited of its organization's budgets, as leasing has it for orphans (reference/leases.md
 * section 6): its call may have been made, so held becomes settled and nothing is released. Once for the same bytes: not where the ledger holds
 * them, or another letter with them is closed.
 * @returns the holds that were settled; none where the event cannot be read, for then nobody knows them.
 */
export async function settleDiscardedHolds(trx: Transaction<Database>, letter: DiscardedLetter): Promise<readonly Hold[]> {
  const parsed = parseRequestSettled(letter);
  if (!parsed.ok || parsed.event.holds.length === 0) return [];
  const { event } = parsed;
  const node = uuidFromId('node', event.node);
  if (node === null || uuidFromId('organization', event.organizationId) !== letter.organizationId) return [];
  if (await isSettled(trx, letter, event)) return [];
  const holds = await holdsOfOrganization(trx, letter.organizationId, event.holds);
  if (holds.length === 0) return [];
  await sql`select lease_post(${holds.map(() => letter.organizationId)}::uuid[], ${holds.map(({ counter }) => counter)}::uuid[],
    ${holds.map(() => node)}::uuid[], ${holds.map(() => event.epoch)}::bigint[], ${holds.map(({ debit }) => debit)}::numeric[],
    ${holds.map(({ cost }) => cost)}::numeric[])`.execute(trx);
  return holds;
}

/** Two that discard letters with the same bytes come one after the other. */
async function isSettled(trx: Transaction<Database>, { organizationId, hash }: DiscardedLetter, event: RequestSettled): Promise<boolean> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${hash}, 0))`.execute(trx);
  const other = await trx
    .selectFrom('dead_letters')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('value_hash', '=', Buffer.from(hash, 'hex'))
    .executeTakeFirst();
  if (other !== undefined) return true;
  const entry_id = uuidFromId('request', event.requestId);
  if (entry_id === null) return false;
  const booked = await readBodyHashes(trx, [{ entry_id, occurred_at: new Date(uuidTimeMs(entry_id)) }]);
  return booked.get(entry_id) === hash;
}

/** Of counters that are there, and the organization's own: nothing is held of any other. An event that is not ours to book may say anything. */
async function holdsOfOrganization(trx: Transaction<Database>, organizationId: string, told: readonly Hold[]): Promise<readonly Hold[]> {
  const holds = told.filter(({ counter, debit, cost }) => UUID.test(counter) && BigInt(debit) >= 0n && BigInt(cost) >= BigInt(debit));
  const { rows } = await sql<{ id: string }>`select id from budget_counters
    where id = any (${holds.map(({ counter }) => counter)}::uuid[]) and organization_id = ${organizationId}`.execute(trx);
  const known = new Set(rows.map(({ id }) => id));
  return holds.filter(({ counter }) => known.has(counter));
}
