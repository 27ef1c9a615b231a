import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { StoredRecord } from '../../../schema/events/log-record.ts';
import type { Outcome } from '../../../schema/events/request-settled.v1.ts';
import { OUTCOMES } from '../../../schema/events/request-settled.v1.ts';
import { uuidFromId } from '../../../schema/values/ids.ts';
import { recomputeRollups } from '../../../services/ledger/recompute-rollups.ts';
import { keepHouse, retentionMs } from '../../../services/ledger/retention.ts';
import { ROLLUP_GRAINS } from '../../../services/ledger/rollups.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { assign, postRecords } from './posting.ts';
import { addTestPrice, anId, recordOf, settledEvent } from './settled-records.ts';

const everything = { from: new Date(0), until: new Date(Date.UTC(2100, 0)) };
const organizations = [anId('organization'), anId('organization')];
const keys = [anId('apiKey'), anId('apiKey')];
const team = anId('team');

async function activateTag(database: TestDatabase, organizationId: string, tagKey: string): Promise<void> {
  const id = uuidFromId('organization', organizationId) ?? '';
  await sql`insert into organizations values (${id}, ${`o${id.slice(-12)}`}, 'tested', 1, now(), now(), null) on conflict do nothing`.execute(
    database.owner.db,
  );
  await database.writer.db
    .insertInto('activated_tags')
    .values({ organization_id: id, tag_key: tagKey, activated_at: new Date(0) })
    .execute();
}

async function expectRollupsHold(database: TestDatabase): Promise<void> {
  for (const grain of ROLLUP_GRAINS) await expect(recomputeRollups(database.owner.db, grain, everything), grain).resolves.toEqual([]);
}

const minute = Date.UTC(2026, 10, 30, 23, 58);
/** Requests of few organizations, keys and minutes about a month's end, so that they meet in the same rows. */
const anEvent = fc.record({
  organization: fc.nat(1),
  key: fc.nat(1),
  atMs: fc.integer({ min: 0, max: 4 * 60_000 }),
  outcome: fc.constantFrom<Outcome[]>(...OUTCOMES),
  team: fc.boolean(),
  stream: fc.boolean(),
  input: fc.option(fc.nat(5_000)),
  reasoning: fc.option(fc.nat(5_000)),
  estimated: fc.boolean(),
  firstByteMs: fc.option(fc.double({ min: 0, max: 2_000_000, noNaN: true })),
  totalMs: fc.oneof(fc.double({ min: 0, max: 2_000_000, noNaN: true }), fc.constantFrom(0, 1, 2, 4, 8, 1_024, Math.SQRT2)),
  tag: fc.option(fc.constantFrom('atlas', 'b"\\,{}', '')),
  /** Times it stands in the log. */
  copies: fc.integer({ min: 1, max: 3 }),
});

test('rollups equal their recomputation after random batches in random order with duplicates', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anEvent, { minLength: 1, maxLength: 60 }), fc.nat(), async (events, seed) => {
      await using database = await createTestDatabase();
      await addTestPrice(database.writer.db);
      await activateTag(database, organizations[0] ?? '', 'project');
      await activateTag(database, organizations[0] ?? '', 'constructor');
      const records: Omit<StoredRecord, 'offset'>[] = events.flatMap((event) => {
        const record = recordOf(
          settledEvent({
            requestId: anId('request', minute + event.atMs),
            organizationId: organizations[event.organization] ?? '',
            apiKeyId: keys[event.key] ?? '',
            teamId: event.team ? team : null,
            outcome: event.outcome,
            stream: event.stream,
            model: event.key === 0 ? null : 'sim/echo',
            usage: { ...settledEvent().usage, input: event.input, reasoning: event.reasoning } as NonNullable<
              ReturnType<typeof settledEvent>['usage']
            >,
            usageSource: event.estimated ? 'estimated' : 'provider',
            timings: { admittedAt: minute, firstByteMs: event.firstByteMs, totalMs: event.totalMs, overheadMs: null },
            tags: event.tag === null ? {} : { project: event.tag },
          }),
          { offset: 0n },
        );
        return Array.from({ length: event.copies }, () => record);
      });
      const { epoch } = await assign(database.writer);
      const order = records
        .map((record, index) => ({ record, key: (index * 2_654_435_761 + seed) % 1_000_003 }))
        .sort((a, b) => a.key - b.key);
      const log = order.map(({ record }, index) => ({ ...record, offset: BigInt(index) }));
      for (let from = 0; from < log.length; from += 1 + (seed % 17)) {
        // Each batch reaches back into the last one, as after a lost acknowledgement.
        await postRecords(database.writer, log.slice(Math.max(0, from - 2), from + 1 + (seed % 17)), { epoch });
      }
      await expectRollupsHold(database);
      const { rows } = await sql<{ entries: bigint; counted: bigint }>`select (select count(*) from ledger_entries) as entries,
        (select sum(requests)::bigint from usage_minute where tag_key = '') as counted`.execute(database.owner.db);
      expect(rows[0]).toEqual({ entries: BigInt(events.length), counted: BigInt(events.length) });
    }),
    { numRuns: 12 },
  );
});

test('a rollup that was tampered with is found', async () => {
  await using database = await createTestDatabase();
  await addTestPrice(database.writer.db);
  await activateTag(database, organizations[0] ?? '', 'project');
  const { epoch } = await assign(database.writer);
  const events = ['a', 'b'].map((project) =>
    settledEvent({ organizationId: organizations[0] ?? '', apiKeyId: keys[0] ?? '', tags: { project } }),
  );
  await postRecords(
    database.writer,
    events.map((event, index) => recordOf(event, { offset: BigInt(index) })),
    { epoch },
  );
  await expectRollupsHold(database);

  await database.owner.execute("update usage_hour set cost = cost + 1 where tag_value = 'a'; delete from usage_day where tag_value = 'b'");
  await expect(recomputeRollups(database.owner.db, 'hour', everything)).resolves.toMatchObject([{ dimensions: { tag_value: 'a' } }]);
  await expect(recomputeRollups(database.owner.db, 'day', everything)).resolves.toMatchObject([
    { dimensions: { tag_value: 'b' }, kept: null },
  ]);
  await expect(recomputeRollups(database.owner.db, 'minute', everything)).resolves.toEqual([]);
});

test('finer rollups go when they are past their time, days and entries stay', async () => {
  await using database = await createTestDatabase();
  await addTestPrice(database.writer.db);
  const { epoch } = await assign(database.writer);
  const now = Date.now();
  const ages = [0, retentionMs.minute + 120_000, retentionMs.hour + 7_200_000];
  const records = ages.map((age, index) => recordOf(settledEvent({ requestId: anId('request', now - age) }), { offset: BigInt(index) }));
  await postRecords(database.writer, records, { epoch });
  await expect(keepHouse(database.writer.db, now)).resolves.toEqual({ removed: 3n });
  const { rows } = await sql`select (select count(*)::int from usage_minute) as minutes, (select count(*)::int from usage_hour) as hours,
    (select count(*)::int from usage_day) as days, (select count(*)::int from ledger_entries) as entries`.execute(database.owner.db);
  expect(rows).toEqual([{ minutes: 1, hours: 2, days: 3, entries: 3 }]);
});

test('a clock that is days ahead removes nothing that is young by the clock of the database', async () => {
  await using database = await createTestDatabase();
  await addTestPrice(database.writer.db);
  const { epoch } = await assign(database.writer);
  await postRecords(database.writer, [recordOf(settledEvent(), { offset: 0n })], { epoch });
  await expect(keepHouse(database.writer.db, Date.now() + 2 * retentionMs.minute)).resolves.toEqual({ removed: 0n });
});

test('the coming months have their partitions before they begin', async () => {
  await using database = await createTestDatabase();
  await keepHouse(database.writer.db, Date.UTC(2031, 10, 15));
  const { rows } = await sql<{
    name: string;
  }>`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'ledger_entries'::regclass`.execute(database.owner.db);
  const names = rows.map(({ name }) => name);
  for (const month of ['2031_11', '2031_12', '2032_01', '2032_02']) expect(names).toContain(`ledger_entries_${month}`);
});
