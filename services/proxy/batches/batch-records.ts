import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { Database } from '../../../schema/tables/database.ts';
import type { Fields } from '../body/json-fields.ts';
import { isFields, textOf } from '../body/json-fields.ts';
import type { ListedPage } from '../files/file-records.ts';
import type { AskedPage } from '../files/listing.ts';
import type { AccountReference } from '../files/provider-account.ts';
import type { BatchTerms } from './batch-terms.ts';

/** Which batch it is; uuids. */
export interface BatchName {
  readonly organizationId: string;
  /** Of the request that made it. */
  readonly requestId: string;
}

/** A batch that is about to be made. */
export interface NewBatch extends BatchName, AccountReference {
  readonly inputFileId: string;
  readonly terms: BatchTerms;
}

/** A batch as an application asks for it. */
export interface KnownBatch extends BatchName, AccountReference {
  readonly id: string;
}

/** A batch that this process looks after, for a few minutes. */
export interface ClaimedBatch extends BatchName, AccountReference {
  /** Null: the provider has not named it, or nobody heard it. */
  readonly id: string | null;
  readonly inputFileId: string;
  /** As the row has them. */
  readonly terms: unknown;
  readonly state: 'making' | 'running' | 'rated';
  readonly failures: number;
  readonly ageMs: number;
  /** Tells this claim from a later one. */
  readonly claim: bigint;
}

/** An event that a batch is charged by. */
export interface BatchCharge {
  /** uuid of its entry. */
  readonly entryId: string;
  /** The time in it. */
  readonly occurredAtMs: number;
  readonly record: LogRecord;
}

/** The batches of all proxies (migrations/0039_provider_batches.sql). What is written under a claim is written only while nobody claimed it again. */
export interface BatchRecords {
  /** Before the provider is asked. @param lookAfterMs when somebody is to find out what became of it, should nobody say. */
  begin(batch: NewBatch, lookAfterMs: number): Promise<void>;
  /** The provider made none, for certain. */
  forget(batch: BatchName): Promise<void>;
  /** The provider named it. @returns false where another batch has that name. */
  name(batch: BatchName, id: string, object: Fields, lookAfterMs: number): Promise<boolean>;
  find(organizationId: string, id: string): Promise<KnownBatch | null>;
  /** As the provider describes it now. @param settles it is over: where that is news it is to be looked after at once. */
  describe(batch: BatchName, object: Fields, settles: boolean): Promise<void>;
  list(organizationId: string, page: AskedPage): Promise<ListedPage>;
  /** Whether an output file is still needed. */
  isOwed(organizationId: string, outputFileId: string): Promise<boolean>;
  /** Takes one that is due, from everybody else too; null: none is. @param holdMs after which another may take it. */
  claim(holdMs: number): Promise<ClaimedBatch | null>;
  /** It went well, and is looked after again later. */
  postpone(batch: ClaimedBatch, lookAfterMs: number): Promise<void>;
  fail(batch: ClaimedBatch, failure: string, lookAfterMs: number): Promise<void>;
  /** All that it cost is known: who says so first is believed, whoever has the claim. @returns false where somebody was faster: then these charges are nothing. */
  rate(batch: ClaimedBatch, charges: readonly BatchCharge[], lookAfterMs: number): Promise<boolean>;
  /** Those of its charges that the ledger does not have, at most {@link CHARGES_AT_ONCE}. @param after uuid of an entry; those that follow it. */
  unbooked(batch: ClaimedBatch, after: string | null): Promise<readonly BatchCharge[]>;
  /** The ledger has all of it, or there is nothing to have. */
  settle(batch: ClaimedBatch): Promise<void>;
}

/** Charges that one statement writes or reads. */
export const CHARGES_AT_ONCE = 500;
const LONGEST_FAILURE = 512;

const inMs = (ms: number) => sql<Date>`now() + make_interval(secs => ${ms / 1_000})`;

/** @param db connections in role `writer`, whose statements time out. */
export function createBatchRecords(db: Kysely<Database>): BatchRecords {
  const one = ({ organizationId, requestId }: BatchName) =>
    db.updateTable('provider_batches').where('organization_id', '=', organizationId).where('request_id', '=', requestId);
  const claimed = (batch: ClaimedBatch) => one(batch).where('claims', '=', batch.claim).where('state', '=', batch.state);

  return {
    begin: async ({ organizationId, requestId, providerId, credentialId, inputFileId, terms }, lookAfterMs) => {
      await db
        .insertInto('provider_batches')
        .values({
          organization_id: organizationId,
          request_id: requestId,
          provider_id: providerId,
          credential_id: credentialId,
          input_file_id: inputFileId,
          terms: JSON.stringify(terms),
          due_at: inMs(lookAfterMs),
          created_at: sql<Date>`now()`,
        })
        .execute();
    },
    forget: async ({ organizationId, requestId }) => {
      await db
        .deleteFrom('provider_batches')
        .where('organization_id', '=', organizationId)
        .where('request_id', '=', requestId)
        .where('state', '=', 'making')
        .execute();
    },
    name: async (batch, id, object, lookAfterMs) => {
      const known = db
        .selectFrom('provider_batches as other')
        .select(sql`1`.as('one'))
        .where('other.organization_id', '=', batch.organizationId)
        .where('other.id', '=', id);
      const { numUpdatedRows } = await one(batch)
        .where('state', '=', 'making')
        .where(({ not, exists }) => not(exists(known)))
        .set({ id, object: JSON.stringify(object), state: 'running', due_at: inMs(lookAfterMs), failures: 0, failure: null })
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    find: async (organizationId, id) => {
      const row = await db
        .selectFrom('provider_batches')
        .select(['request_id', 'provider_id', 'credential_id'])
        .where('organization_id', '=', organizationId)
        .where('id', '=', id)
        .executeTakeFirst();
      if (row === undefined) return null;
      return { organizationId, id, requestId: row.request_id, providerId: row.provider_id, credentialId: row.credential_id };
    },
    describe: async (batch, object, settles) => {
      const isNews = sql<boolean>`state = 'running' and failures = 0 and object ->> 'status' is distinct from ${textOf(object.status)}`;
      await one(batch)
        .set({ object: JSON.stringify(object) })
        .$if(settles, (query) => query.set({ due_at: sql<Date>`case when ${isNews} then now() else due_at end` }))
        .execute();
    },
    list: async (organizationId, { after, limit, ascending }) => {
      const order = ascending ? 'asc' : 'desc';
      const rows = await db
        .selectFrom('provider_batches')
        .select('object')
        .where('organization_id', '=', organizationId)
        .where('object', 'is not', null)
        .$if(after !== null, (query) =>
          query.where(
            sql<boolean>`(created_at, request_id) ${sql.raw(ascending ? '>' : '<')} (select created_at, request_id from provider_batches where organization_id = ${organizationId} and id = ${after})`,
          ),
        )
        .orderBy('created_at', order)
        .orderBy('request_id', order)
        .limit(limit + 1)
        .execute();
      const objects = rows.slice(0, limit).map(({ object }) => object);
      return { objects: objects.filter(isFields), hasMore: rows.length > limit };
    },
    isOwed: async (organizationId, outputFileId) => {
      const row = await db
        .selectFrom('provider_batches')
        .select('request_id')
        .where('organization_id', '=', organizationId)
        .where('state', '=', 'running')
        .where(sql<boolean>`object ->> 'output_file_id' = ${outputFileId}`)
        .executeTakeFirst();
      return row !== undefined;
    },
    claim: async (holdMs) => {
      const due = db
        .selectFrom('provider_batches')
        .select(['organization_id', 'request_id'])
        .where('state', '<>', 'settled')
        .where('due_at', '<=', sql<Date>`now()`)
        .orderBy('due_at')
        .limit(1)
        .forUpdate()
        .skipLocked();
      const row = await db
        .updateTable('provider_batches')
        .where(({ refTuple, eb }) => eb(refTuple('organization_id', 'request_id'), 'in', due.$asTuple('organization_id', 'request_id')))
        .set({ due_at: inMs(holdMs), claims: sql<bigint>`claims + 1` })
        .returning([
          'organization_id',
          'request_id',
          'id',
          'provider_id',
          'credential_id',
          'input_file_id',
          'terms',
          'state',
          'failures',
          'claims',
        ])
        .returning(sql<number>`extract(epoch from now() - created_at)::double precision`.as('age_seconds'))
        .executeTakeFirst();
      if (row === undefined || row.state === 'settled') return null;
      return {
        organizationId: row.organization_id,
        requestId: row.request_id,
        id: row.id,
        providerId: row.provider_id,
        credentialId: row.credential_id,
        inputFileId: row.input_file_id,
        terms: row.terms,
        state: row.state,
        failures: row.failures,
        ageMs: row.age_seconds * 1_000,
        claim: row.claims,
      };
    },
    postpone: async (batch, lookAfterMs) => {
      await claimed(batch)
        .set({ due_at: inMs(lookAfterMs), failures: 0, failure: null })
        .execute();
    },
    fail: async (batch, failure, lookAfterMs) => {
      await claimed(batch)
        .set({ due_at: inMs(lookAfterMs), failures: batch.failures + 1, failure: failure.slice(0, LONGEST_FAILURE) })
        .execute();
    },
    rate: (batch, charges, lookAfterMs) =>
      db.transaction().execute(async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('provider_batches')
          .where('organization_id', '=', batch.organizationId)
          .where('request_id', '=', batch.requestId)
          .where('state', '=', 'running')
          .set({ state: 'rated', due_at: inMs(lookAfterMs), failures: 0, failure: null })
          .executeTakeFirst();
        if (numUpdatedRows === 0n) return false;
        for (let from = 0; from < charges.length; from += CHARGES_AT_ONCE) {
          const rows = charges.slice(from, from + CHARGES_AT_ONCE).map(({ entryId, occurredAtMs, record }) => ({
            entry_id: entryId,
            occurred_at: new Date(occurredAtMs),
            organization_id: batch.organizationId,
            request_id: batch.requestId,
            log_partition: record.partition,
            log_key: record.key,
            headers: JSON.stringify(record.headers),
            value: record.value,
          }));
          await transaction.insertInto('provider_batch_charges').values(rows).execute();
        }
        return true;
      }),
    unbooked: async ({ organizationId, requestId }, after) => {
      const rows = await db
        .selectFrom('provider_batch_charges as charge')
        .selectAll()
        .where('charge.organization_id', '=', organizationId)
        .where('charge.request_id', '=', requestId)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('ledger_entries as entry')
                .select('entry.entry_id')
                .whereRef('entry.entry_id', '=', 'charge.entry_id')
                .whereRef('entry.occurred_at', '=', 'charge.occurred_at'),
            ),
          ),
        )
        .$if(after !== null, (query) => query.where('charge.entry_id', '>', after ?? ''))
        .orderBy('charge.entry_id')
        .limit(CHARGES_AT_ONCE)
        .execute();
      return rows.map(({ entry_id: entryId, occurred_at: occurredAt, log_partition: partition, log_key: key, headers, value }) => ({
        entryId,
        occurredAtMs: occurredAt.getTime(),
        record: { key, partition, headers: textsOf(headers), value },
      }));
    },
    settle: async (batch) => {
      const { numUpdatedRows } = await claimed(batch).set({ state: 'settled', failures: 0, failure: null }).executeTakeFirst();
      if (numUpdatedRows === 0n) return;
      await db
        .deleteFrom('provider_batch_charges')
        .where('organization_id', '=', batch.organizationId)
        .where('request_id', '=', batch.requestId)
        .execute();
    },
  };
}

function textsOf(headers: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(isFields(headers) ? headers : {}).map(([name, text]) => [name, String(text)]));
}
