import { sql } from 'kysely';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { uuidFromId } from '../../../schema/values/ids.ts';
import { appendEntries } from '../../../services/journal/append-entries.ts';
import { createLedgerMetrics } from '../../../services/ledger/ledger-metrics.ts';
import { prepareRecords } from '../../../services/ledger/prepare.ts';
import { createPriceSheets } from '../../../services/ledger/price-sheets.ts';
import { sequenceRound } from '../../../services/ledger/sequence-round.ts';
import type { Sequencer } from '../../../services/ledger/sequencer.ts';
import { startSequencer } from '../../../services/ledger/sequencer.ts';
import { createPostgresLedgerStore } from '../../../services/ledger/store/postgres/postgres-ledger-store.ts';
import {
  createPostgresSequencerSession,
  createPostgresSequencerStore,
} from '../../../services/ledger/store/postgres/postgres-sequencer-store.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import type { DatabaseConnection } from '../../../services/runtime/postgres.ts';
import { createDatabase } from '../../../services/runtime/postgres.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { assign, postRecords, silentLog } from './posting.ts';
import { addTestPrice, anId, recordOf, recordsOf, settledEvent } from './settled-records.ts';

let database: TestDatabase;
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  await addTestPrice(database.writer.db);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await database.drop();
});

function connection(poolSize: number): DatabaseConnection {
  const made = createDatabase({ url: database.url, role: 'writer', applicationName: 'turnpike-test-sequencer', poolSize });
  closing.push(made.close);
  return made;
}

function sequencer(): Sequencer {
  const { db } = connection(1);
  const started = startSequencer({
    store: createPostgresSequencerStore(db),
    clock: systemClock,
    log: silentLog,
    metrics: createLedgerMetrics(new Registry()),
  });
  closing.unshift(started.stop);
  return started;
}

const round = (db = database.writer.db, limit = 5_000) =>
  sequenceRound(createPostgresSequencerSession(db), { limit, wakeReaders: () => false });

/** What must hold at any moment: positions of each organization are 0, 1, 2 … below its head, each item once, nothing lost. */
async function expectOrdered(items: number): Promise<void> {
  const { rows } = await sql<{ organizations: bigint; broken: bigint; items: bigint; distinct_items: bigint; waiting: bigint }>`
    select count(*) as organizations, count(*) filter (where low <> 0 or high <> items - 1 or next_position <> items) as broken,
      coalesce(sum(items), 0)::bigint as items, (select count(distinct (item_id, item_kind)) from journal_positions) as distinct_items,
      (select count(*) from journal_unsequenced) as waiting
    from (select organization_id, min(position) as low, max(position) as high, count(*) as items from journal_positions group by organization_id) as counted
    full join journal_heads using (organization_id)`.execute(database.owner.db);
  expect(rows[0]).toMatchObject({ broken: 0n, items: BigInt(items), distinct_items: BigInt(items), waiting: 0n });
}

test('positions are dense from 0 on in each organization, in (partition, offset) order', async () => {
  const organizations = [anId('organization'), anId('organization'), anId('organization')];
  for (const partition of [2, 1]) {
    const { epoch } = await assign(database.writer, partition);
    const records = Array.from({ length: 60 }, (_, index) =>
      recordOf(settledEvent({ organizationId: organizations[index % 3] ?? '' }), { offset: BigInt(index), partition }),
    );
    await postRecords(database.writer, records, { epoch, partition });
  }
  // Rounds smaller than what waits: each goes on where the last one ended.
  for (let rounds = 0; rounds < 4; rounds++) await round(database.writer.db, 50);
  await expectOrdered(120);

  const { rows } = await sql<{ places: string }>`
    select string_agg(log_partition || '/' || log_offset, ' ' order by position) as places from journal_positions
    join ledger_entries on entry_id = item_id where journal_positions.organization_id = ${uuidFromId('organization', organizations[1] ?? '')}`.execute(
    database.owner.db,
  );
  const inOrder = [1, 2].flatMap((partition) => Array.from({ length: 20 }, (_, index) => `${partition}/${3 * index + 1}`));
  expect(rows[0]?.places).toBe(inOrder.join(' '));
});

test('an entry that commits late comes after those that were sequenced before it, and no number is missing', async () => {
  const quick = await assign(database.writer, 1);
  const organizationId = anId('organization');
  const late = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  // A transaction that has written its entries and takes its time to commit.
  const prepared = await prepareRecords(
    recordsOf(5, { organizationId }),
    createPriceSheets(createPostgresLedgerStore(database.writer), silentLog),
    Date.now(),
  );
  const slowly = database.writer.db.transaction().execute(async (trx) => {
    await appendEntries(
      trx,
      prepared.flatMap((record) => (record.kind === 'entry' ? record.entry : [])),
    );
    held.resolve();
    await late.promise;
  });
  await held.promise;
  await postRecords(database.writer, recordsOf(5, { organizationId }, { partition: 1 }), { epoch: quick.epoch, partition: 1 });
  await round();
  await expect(partitionsInOrder()).resolves.toEqual([1, 1, 1, 1, 1]);
  late.resolve();
  await slowly;
  await round();
  await expectOrdered(10);
  await expect(partitionsInOrder()).resolves.toEqual([1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
});

async function partitionsInOrder(): Promise<(number | null)[]> {
  const rows = await database.writer.db
    .selectFrom('journal_positions')
    .innerJoin('ledger_entries', 'entry_id', 'item_id')
    .select('log_partition')
    .orderBy('position')
    .execute();
  return rows.map((row) => row.log_partition);
}

test('two sequencers without a lock between them give no position and no item twice', async () => {
  const { epoch } = await assign(database.writer);
  await postRecords(database.writer, recordsOf(500), { epoch });
  const rivals = connection(8);
  for (let left = 1n; left > 0n; ) {
    await Promise.allSettled(Array.from({ length: 8 }, () => round(rivals.db, 70)));
    const row = await database.writer.db
      .selectFrom('journal_unsequenced')
      .select((e) => e.fn.countAll<bigint>().as('left'))
      .executeTakeFirstOrThrow();
    left = row.left;
  }
  await expectOrdered(500);
});

test('of several sequencers one leads, and another takes over when its session dies', async () => {
  const sequencers = [sequencer(), sequencer(), sequencer()];
  const { epoch } = await assign(database.writer);
  let posted = 0;
  for (let turn = 0; turn < 3; turn++) {
    await postRecords(database.writer, recordsOf(40, {}, { from: BigInt(posted) }), { epoch });
    posted += 40;
    for (const one of sequencers) one.wake();
    await eventually(() => expectOrdered(posted).then(() => true));
    const { rows } = await sql<{ leaders: bigint }>`
      select count(*) as leaders from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())`.execute(
      database.owner.db,
    );
    expect(rows).toEqual([{ leaders: 1n }]);
    await database.owner.execute(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())`,
    );
  }
});

test('what was committed is sequenced within 150 ms, and readers are woken at most ten times a second', async () => {
  const one = sequencer();
  const { epoch } = await assign(database.writer);
  const wakes: number[] = [];
  const listener = database.reader.listen('turnpike_journal', (payload) => {
    if (payload !== null) {
      expect(payload).toBe('');
      wakes.push(performance.now());
    }
  });
  closing.unshift(listener.stop);
  const beganAt = performance.now();
  await postRecords(database.writer, recordsOf(1), { epoch });
  await eventually(() => expectOrdered(1).then(() => true));

  const delays: number[] = [];
  for (let index = 1; index <= 30; index++) {
    await postRecords(database.writer, recordsOf(1, {}, { from: BigInt(index) }), { epoch });
    const committedAt = performance.now();
    one.wake();
    await eventually(() => expectOrdered(index + 1).then(() => true));
    delays.push(performance.now() - committedAt);
  }
  delays.sort((left, right) => left - right);
  expect(delays[15]).toBeLessThan(150);
  await eventually(() => wakes.length > 0);
  // Ten a second from the first on; what is delivered late may come close to the next.
  const span = (wakes.at(-1) ?? 0) - beganAt;
  expect(wakes.length).toBeLessThanOrEqual(span / 100 + 1);
});

test('audit events take their place in the same order', async () => {
  const organization = uuidFromId('organization', anId('organization')) ?? '';
  await sql`insert into audit_events select gen_random_uuid(), ${organization}, now(), 'team.create', '{}', '[]', '[]', '{}', '\\x', sha256('\\x') from generate_series(1, 3)`.execute(
    database.writer.db,
  );
  await round();
  await expectOrdered(3);
});
