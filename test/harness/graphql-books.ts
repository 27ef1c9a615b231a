import { createHash, randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { RequestSettled } from '../../schema/events/request-settled.v1.ts';
import type { Database } from '../../schema/tables/database.ts';
import { idFromUuid, mintUuid } from '../../schema/values/ids.ts';
import { appendEntries } from '../../services/journal/append-entries.ts';
import type { LedgerEntryInsert } from '../../services/journal/entry-columns.ts';
import { rollUp } from '../../services/ledger/rollups.ts';
import { sequenceRound } from '../../services/ledger/sequence-round.ts';
import { createPostgresSequencerSession } from '../../services/ledger/store/postgres/postgres-sequencer-store.ts';
import { writeRollups } from '../../services/ledger/store/postgres/write-rollups.ts';
import { settledRequest } from './settled-request.ts';

/** A usage entry as the ledger posts it, with its event as body; `changes` replace columns, `told` fields of the event. */
export function usageEntry(
  organizationId: string,
  changes: Partial<LedgerEntryInsert> = {},
  told: Partial<RequestSettled> = {},
): LedgerEntryInsert {
  const occurredAt = changes.occurred_at ?? new Date();
  const entryId = mintUuid(occurredAt.getTime(), randomBytes(10));
  const apiKeyId = changes.api_key_id ?? mintUuid(occurredAt.getTime(), randomBytes(10));
  const event: RequestSettled = settledRequest({
    requestId: idFromUuid('request', entryId),
    organizationId: idFromUuid('organization', organizationId),
    apiKeyId: idFromUuid('apiKey', apiKeyId),
    ...told,
  });
  const body = Buffer.from(JSON.stringify(event));
  return {
    entry_id: entryId,
    occurred_at: occurredAt,
    kind: 'usage',
    organization_id: organizationId,
    request_id: entryId,
    api_key_id: apiKeyId,
    team_id: null,
    user_id: null,
    service_account_id: null,
    endpoint: 'chat.completions',
    provider: 'sim',
    model: 'sim/echo',
    model_requested: 'sim/echo',
    route_id: null,
    outcome: 'succeeded',
    status: 200,
    error_code: null,
    stream: false,
    tokens_input: 12n,
    tokens_cache_read: null,
    tokens_cache_write_5m: null,
    tokens_cache_write_1h: null,
    tokens_input_audio: null,
    tokens_input_image: null,
    tokens_output: 5n,
    tokens_reasoning: null,
    tokens_output_audio: null,
    tokens_output_image: null,
    usage_source: 'provider',
    cost: 1_500_000n,
    price_version: 'pv_00000000000000000000000000000000',
    unrated: null,
    proxy_cost: 1_500_000n,
    flags: [],
    tags: {},
    first_byte_ms: 20,
    total_ms: 40,
    reverses: null,
    reason: null,
    log_partition: 0,
    log_offset: 0n,
    body,
    body_hash: createHash('sha256').update(body).digest(),
    ...changes,
  };
}

/** Books entries as the ledger does: with their rollups, in one transaction. They have no position yet. */
export async function book(db: Kysely<Database>, entries: readonly LedgerEntryInsert[]): Promise<void> {
  const tags = new Map<string, string[]>();
  for (const row of await db.selectFrom('activated_tags').selectAll().execute()) {
    tags.set(row.organization_id, [...(tags.get(row.organization_id) ?? []), row.tag_key]);
  }
  await db.transaction().execute(async (trx) => {
    await appendEntries(trx, entries);
    await writeRollups(trx, rollUp(entries, tags));
  });
}

/** Gives everything booked its position, as the sequencer does, and wakes who listens. */
export async function sequence(db: Kysely<Database>, { wakeReaders = true } = {}): Promise<void> {
  for (let sequenced = 1; sequenced > 0; )
    ({ sequenced } = await sequenceRound(createPostgresSequencerSession(db), { limit: 1_000, wakeReaders: () => wakeReaders }));
}
