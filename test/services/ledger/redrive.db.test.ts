import { sql } from 'kysely';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StoredRecord } from '../../../schema/events/log-record.ts';
import { idFromUuid, uuidFromId } from '../../../schema/values/ids.ts';
import { createLedgerMetrics } from '../../../services/ledger/ledger-metrics.ts';
import { recomputeRollups } from '../../../services/ledger/recompute-rollups.ts';
import type { Redrive } from '../../../services/ledger/redrive.ts';
import { startRedrive } from '../../../services/ledger/redrive.ts';
import { ROLLUP_GRAINS } from '../../../services/ledger/rollups.ts';
import { createPostgresDeadLetterStore } from '../../../services/ledger/store/postgres/postgres-dead-letter-store.ts';
import { createPostgresLedgerStore } from '../../../services/ledger/store/postgres/postgres-ledger-store.ts';
import { discardDeadLetter, retryDeadLetter } from '../../../services/registry/dead-letters.ts';
import { INSTALLATION_ID } from '../../../services/registry/seed.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf } from '../../harness/registry.ts';
import { assign, postRecords, silentLog } from './posting.ts';
import { addTestPrice, anId, recordOf, settledEvent, testCost } from './settled-records.ts';

let database: TestDatabase;
let registry: Registry;
let running: Redrive[];

beforeEach(async () => {
  database = await createTestDatabase();
  await addTestPrice(database.writer.db);
  registry = new Registry();
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((redrive) => redrive.stop()));
  await database.drop();
});

/** What a ledger process does beside its partitions. */
function startLedger(): Redrive {
  const { db } = database.writer;
  const redrive = startRedrive({
    letters: createPostgresDeadLetterStore({ db, clock: systemClock, random: systemRandom }),
    store: createPostgresLedgerStore(database.writer),
    clock: systemClock,
    log: silentLog,
    metrics: createLedgerMetrics(running.length === 0 ? registry : new Registry()),
    onPosted: () => {},
    everyMs: 10,
  });
  running.push(redrive);
  return redrive;
}

const letterAt = (offset: bigint) =>
  database.owner.db.selectFrom('dead_letters').selectAll().where('log_offset', '=', offset).executeTakeFirstOrThrow();
const entries = () => database.owner.db.selectFrom('ledger_entries').selectAll().orderBy('log_offset').execute();
/** As an administrator of the installation asks for it. */
const retry = (id: string) => changeOf(database.writer.db, INSTALLATION_ID, (change) => retryDeadLetter(change, { id, everywhere: true }));
const auditOf = async (id: string) => {
  const rows = await database.owner.db.selectFrom('audit_events').selectAll().orderBy('occurred_at').orderBy('id').execute();
  return rows.filter(({ targets }) => JSON.stringify(targets).includes(idFromUuid('deadLetter', id)));
};
async function settled(offset: bigint, retries = 1): Promise<Awaited<ReturnType<typeof letterAt>>> {
  await eventually(async () => (await letterAt(offset)).retries === retries);
  return letterAt(offset);
}

const subject = { salt: 'ab'.repeat(16), endUser: 'eve@example.com', address: null, metadata: null };
/** Records that this ledger does not know the version of, until {@link mend}. */
async function loseLetters(records: readonly StoredRecord[]): Promise<void> {
  const { epoch } = await assign(database.writer);
  await postRecords(
    database.writer,
    records.map((record) => ({ ...record, headers: { ...record.headers, ce_type: 'turnpike.request.settled.v2' } })),
    { epoch },
  );
}
/** What made the letters dead is gone: as when a ledger is upgraded to know their version. */
const mend = () => database.owner.execute(`update dead_letters set headers = headers || '{"ce_type":"turnpike.request.settled.v1"}'`);

test('a letter that is retried is booked from its original bytes, with its cost, rollups, personal data and place in the journal', async () => {
  const event = settledEvent();
  const record = recordOf(event, { offset: 4n, subject });
  await loseLetters([record]);
  await mend();
  const { id } = await letterAt(4n);
  startLedger();
  await retry(id);
  const letter = await settled(4n);

  const requestId = uuidFromId('request', event.requestId) ?? '';
  expect(letter).toMatchObject({
    state: 'posted',
    request_id: requestId,
    retry_reason: null,
    value: null,
    headers: {},
    record_key: null,
    value_bytes: record.value.length,
  });
  expect(await entries()).toMatchObject([
    { entry_id: requestId, body: record.value, body_hash: letter.value_hash, cost: testCost, log_offset: 4n },
  ]);
  expect(await database.owner.db.selectFrom('request_subject').select(['request_id', 'end_user']).execute()).toEqual([
    { request_id: requestId, end_user: 'eve@example.com' },
  ]);
  expect(await database.owner.db.selectFrom('journal_unsequenced').select('item_id').where('item_kind', '=', 'entry').execute()).toEqual([
    { item_id: requestId },
  ]);
  const everything = { from: new Date(0), until: new Date(Date.UTC(2100, 0)) };
  for (const grain of ROLLUP_GRAINS) await expect(recomputeRollups(database.owner.db, grain, everything)).resolves.toEqual([]);

  const [asked, done, ...more] = await auditOf(id);
  expect(more).toEqual([]);
  expect(asked).toMatchObject({ action: 'dead_letter.retry', organization_id: INSTALLATION_ID });
  expect(done).toMatchObject({
    action: 'dead_letter.post',
    organization_id: INSTALLATION_ID,
    actor: { kind: 'system', id: 'ledger' },
    changes: [
      { field: 'state', from: 'retrying', to: 'posted' },
      { field: 'requestId', from: null, to: event.requestId },
    ],
  });
  expect(done?.body.toString()).not.toContain('eve@example.com');
});

test('a letter that is still no event is open again with what was found, and can be retried again', async () => {
  const record = { ...recordOf(settledEvent(), { offset: 0n }), value: Buffer.from([0xff]) };
  const { epoch } = await assign(database.writer);
  await postRecords(database.writer, [record], { epoch });
  const { id } = await letterAt(0n);
  startLedger();
  await retry(id);
  const first = await settled(0n, 1);
  expect(first).toMatchObject({
    state: 'open',
    reason: 'unparseable',
    retry_reason: 'unparseable',
    retry_detail: 'not UTF-8',
    value: record.value,
    headers: record.headers,
  });
  await retry(id);
  await settled(0n, 2);
  expect((await auditOf(id)).map(({ action }) => action)).toEqual([
    'dead_letter.retry',
    'dead_letter.refuse',
    'dead_letter.retry',
    'dead_letter.refuse',
  ]);
  expect(await entries()).toEqual([]);
});

test('an event is never in the books twice: two ledgers, a letter asked for twice, an event that came another way meanwhile', async () => {
  const records = Array.from({ length: 30 }, (_, index) => recordOf(settledEvent(), { offset: BigInt(index) }));
  await loseLetters(records);
  await mend();
  const letters = await database.owner.db.selectFrom('dead_letters').select(['id', 'log_offset']).orderBy('log_offset').execute();
  for (const { id } of letters) await retry(id);
  for (const { id } of letters) await expect(retry(id)).resolves.toEqual({ auditEventId: null });
  const { epoch } = await assign(database.writer, 1);
  const resent = records.slice(0, 10).map((record) => ({ ...record, partition: 1 }));
  await Promise.all([startLedger(), startLedger(), postRecords(database.writer, resent, { epoch, partition: 1 })]);
  await eventually(
    async () => (await database.owner.db.selectFrom('dead_letters').select('id').where('state', '!=', 'posted').execute()).length === 0,
    20_000,
  );

  expect((await entries()).map(({ body }) => body.toString('base64')).sort()).toEqual(
    records.map(({ value }) => value.toString('base64')).sort(),
  );
  const { requests } = await database.owner.db
    .selectFrom('usage_day')
    .select((e) => e.fn.sum<bigint>('requests').as('requests'))
    .executeTakeFirstOrThrow();
  expect(requests).toBe(30n);
  expect((await database.owner.db.selectFrom('dead_letters').select('retries').execute()).every(({ retries }) => retries === 1)).toBe(true);
});

test('an id that was used with other bytes stays a dead letter, and the first entry stays', async () => {
  const event = settledEvent();
  const { epoch } = await assign(database.writer);
  await postRecords(database.writer, [recordOf(event, { offset: 0n }), recordOf({ ...event, status: 500 }, { offset: 1n })], { epoch });
  startLedger();
  await retry((await letterAt(1n)).id);
  expect(await settled(1n)).toMatchObject({ state: 'open', retry_reason: 'id_reuse' });
  expect((await entries()).map(({ status }) => status)).toEqual([200]);
});

test('a row that the database refuses is open again under its constraint, and those behind it are booked', async () => {
  await loseLetters([recordOf(settledEvent({ errorCode: 'poison' }), { offset: 0n }), recordOf(settledEvent(), { offset: 1n })]);
  await mend();
  await database.owner.execute("alter table ledger_entries add constraint no_poison check (error_code <> 'poison')");
  for (const offset of [0n, 1n]) await retry((await letterAt(offset)).id);
  startLedger();
  expect(await settled(0n)).toMatchObject({ state: 'open', retry_reason: 'refused_by_database', retry_detail: '23514 no_poison' });
  expect(await settled(1n)).toMatchObject({ state: 'posted' });
  expect(await entries()).toHaveLength(1);
});

test('while the database ends every transaction a letter stays queued, whole, and is booked once it does not', async () => {
  await loseLetters([recordOf(settledEvent(), { offset: 0n })]);
  await mend();
  await retry((await letterAt(0n)).id);
  // The count outlives the transactions.
  await database.owner.execute(`create sequence hang_ups;
    create function hang_up() returns trigger language plpgsql security definer as $$
    begin perform nextval('hang_ups'); perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
    create trigger hang_up after update on dead_letters for each statement execute function hang_up()`);
  startLedger();
  await eventually(async () => {
    const { rows } = await sql<{ last_value: bigint }>`select last_value from hang_ups`.execute(database.owner.db);
    return (rows[0]?.last_value ?? 0n) >= 3n;
  });
  expect(await letterAt(0n)).toMatchObject({ state: 'retrying', retries: 0 });
  expect(await entries()).toEqual([]);
  await database.owner.execute('drop trigger hang_up on dead_letters');
  expect(await settled(0n)).toMatchObject({ state: 'posted' });
  expect(await entries()).toHaveLength(1);
});

test('a letter that is discarded while it waits is never booked', async () => {
  await loseLetters([recordOf(settledEvent(), { offset: 0n }), recordOf(settledEvent(), { offset: 1n })]);
  await mend();
  const { id } = await letterAt(0n);
  await retry(id);
  await changeOf(database.writer.db, INSTALLATION_ID, (change) => discardDeadLetter(change, { id, everywhere: true, reason: 'x' }));
  await retry((await letterAt(1n)).id);
  startLedger();
  await settled(1n);
  expect(await letterAt(0n)).toMatchObject({ state: 'discarded', retries: 0 });
  expect(await entries()).toHaveLength(1);
});

test('what is unsettled is counted by reason, and a reason of which none is left is no longer told', async () => {
  const { epoch } = await assign(database.writer);
  const bad = [0n, 1n].map((offset) => ({ ...recordOf(settledEvent(), { offset }), value: Buffer.from('{') }));
  await postRecords(database.writer, [...bad, recordOf(settledEvent({ requestId: anId('request', Date.UTC(2300, 0)) }), { offset: 2n })], {
    epoch,
  });
  startLedger();
  const gauge = async (): Promise<string[]> =>
    (await registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith('turnpike_ledger_dead_letters_open{'))
      .sort();
  await eventually(async () => (await gauge()).length === 2);
  expect(await gauge()).toEqual([
    'turnpike_ledger_dead_letters_open{reason="time_implausible"} 1',
    'turnpike_ledger_dead_letters_open{reason="unparseable"} 2',
  ]);
  const { id } = await letterAt(2n);
  await changeOf(database.writer.db, INSTALLATION_ID, (change) => discardDeadLetter(change, { id, everywhere: true, reason: 'x' }));
  // A retry has them counted anew at once.
  await retry((await letterAt(0n)).id);
  await eventually(async () => (await gauge()).length === 1);
  expect(await gauge()).toEqual(['turnpike_ledger_dead_letters_open{reason="unparseable"} 2']);
  expect(await registry.metrics()).toContain('turnpike_ledger_dead_letter_retries_total{outcome="open"} 1');
});
