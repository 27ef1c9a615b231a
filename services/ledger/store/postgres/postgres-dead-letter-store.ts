import type { Kysely, Transaction } from 'kysely';
import { CompiledQuery, sql } from 'kysely';
import type { Database } from '../../../../schema/tables/database.ts';
import { idFromUuid, mintUuid } from '../../../../schema/values/ids.ts';
import type { AuditChange } from '../../../journal/append-audit.ts';
import { appendAuditEvent } from '../../../journal/append-audit.ts';
import { INSTALLATION_ID } from '../../../registry/seed.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Random } from '../../../runtime/random.ts';
import type { DeadLetterStore, LetterFate, QueuedLetter } from '../dead-letter-store.ts';
import { limitTransaction } from './limit-transaction.ts';
import { ledgerTransaction } from './postgres-ledger-store.ts';

/** @param options.db connections in role `writer`. */
export function createPostgresDeadLetterStore(options: {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly random: Random;
}): DeadLetterStore {
  const { db, clock, random } = options;
  return {
    queued: async (limit) => {
      const rows = await db
        .selectFrom('dead_letters')
        .select(['id', 'topic', 'organization_id', 'partition', 'log_offset', 'record_key', 'headers', 'value'])
        .where('state', '=', 'retrying')
        .orderBy('retry_requested_at')
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(({ id, topic, organization_id, partition, log_offset, record_key, headers, value }) => ({
        id,
        topic,
        organizationId: organization_id,
        record: { key: record_key ?? '', partition, headers, value: value ?? Buffer.alloc(0), offset: log_offset },
      }));
    },
    settle: (letter, judge) =>
      db.transaction().execute(async (trx) => {
        await trx.executeQuery(CompiledQuery.raw(limitTransaction));
        const locked = await trx
          .selectFrom('dead_letters')
          .select('id')
          .where('id', '=', letter.id)
          .where('state', '=', 'retrying')
          .forUpdate()
          .skipLocked()
          .executeTakeFirst();
        if (locked === undefined) return null;
        const fate = await judge(ledgerTransaction(trx));
        const now = new Date(clock.now());
        await writeFate(trx, letter, fate, now);
        await appendAuditEvent(trx, {
          id: mintUuid(clock.now(), random.bytes(10)),
          organizationId: letter.organizationId ?? INSTALLATION_ID,
          occurredAt: now,
          action: fate.kind === 'posted' ? 'dead_letter.post' : 'dead_letter.refuse',
          actor: { kind: 'system', id: 'ledger', name: 'ledger' },
          targets: [
            {
              type: 'dead_letter',
              id: idFromUuid('deadLetter', letter.id),
              name: `${letter.topic}/${letter.record.partition}/${letter.record.offset}`,
            },
          ],
          changes: changesOf(fate),
          origin: { requestId: null, address: null, userAgent: null },
        });
        return fate;
      }),
    countUnsettled: async () => {
      const { rows } = await sql<{ reason: string; letters: bigint }>`select reason, count(*) as letters from dead_letters
        where state in ('open', 'retrying') group by reason`.execute(db);
      return new Map(rows.map(({ reason, letters }) => [reason, Number(letters)]));
    },
  };
}

/** A posted event stands in the ledger, and its subject in the table where it can be erased: neither is kept twice. */
async function writeFate(trx: Transaction<Database>, { id }: QueuedLetter, fate: LetterFate, now: Date): Promise<void> {
  if (fate.kind === 'posted') {
    await sql`update dead_letters set state = 'posted', retries = retries + 1, retried_at = ${now}, retry_reason = null, retry_detail = null,
      request_id = ${fate.requestId}, closed_at = ${now},
      value_hash = sha256(value), value_bytes = length(value), value = null, headers = '{}', record_key = null
      where id = ${id}`.execute(trx);
  } else {
    await sql`update dead_letters set state = 'open', retries = retries + 1, retried_at = ${now}, retry_reason = ${fate.reason},
      retry_detail = ${fate.detail} where id = ${id}`.execute(trx);
  }
}

function changesOf(fate: LetterFate): AuditChange[] {
  if (fate.kind === 'open') {
    return [
      { field: 'state', from: 'retrying', to: 'open' },
      { field: 'retryReason', from: null, to: fate.reason },
    ];
  }
  return [
    { field: 'state', from: 'retrying', to: 'posted' },
    { field: 'requestId', from: null, to: idFromUuid('request', fate.requestId) },
  ];
}
