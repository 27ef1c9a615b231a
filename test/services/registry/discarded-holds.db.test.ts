import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { discardDeadLetter } from '../../../services/registry/dead-letters.ts';
import { keepDeadLetter } from '../../harness/dead-letters.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf } from '../../harness/registry.ts';
import type { LeaseFunctions } from '../../leases/sql/lease-functions.ts';
import {
  brokenBooks,
  counterState,
  insertLimit,
  insertOrganization,
  leaseFunctions,
  organizationId,
  testId,
} from '../../leases/sql/lease-functions.ts';
import { assign, postRecords } from '../ledger/posting.ts';
import { addTestPrice, recordOf, settledEvent } from '../ledger/settled-records.ts';

const node = testId('node', 1);
let database: TestDatabase;
let leases: LeaseFunctions;
let used = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  await insertOrganization(database.writer.db);
  await addTestPrice(database.writer.db);
  leases = leaseFunctions(database.writer.db);
  await leases.register(node, 1, 'n1');
});
afterAll(() => database.drop());

/** A counter of which 100 are leased and nothing is booked. */
async function leased(): Promise<string> {
  used += 1;
  const limit = await insertLimit(database.writer.db, { number: used, amount: 1_000n });
  const [answer] = await leases.ask(node, 1, [{ limit, need: 100n }]);
  return answer?.counter_id ?? '';
}

/** An event of the organization that debited 60 of a counter. */
const eventOn = (counter: string, more: Partial<RequestSettled> = {}): RequestSettled =>
  settledEvent({
    organizationId: idFromUuid('organization', organizationId),
    node: idFromUuid('node', node),
    epoch: 1,
    holds: [{ counter, hold: '80', debit: '60', cost: '60' }],
    ...more,
  });

const lettered = (event: RequestSettled, of = organizationId): Promise<string> => {
  const { key, headers, value } = recordOf(event, { offset: 0n });
  return keepDeadLetter(database.writer.db, { organization_id: of, record_key: key, headers, value });
};
const discard = (id: string) =>
  changeOf(database.writer.db, organizationId, (change) => discardDeadLetter(change, { id, everywhere: true, reason: 'known' }));
const holdsOf = async (id: string) =>
  (await database.writer.db.selectFrom('dead_letters').select('settled_holds').where('id', '=', id).executeTakeFirstOrThrow())
    .settled_holds;
const state = (counter: string) => counterState(database.writer.db, counter);

test('what a discarded letter had debited is settled, and nothing is released', async () => {
  const counter = await leased();
  const id = await lettered(eventOn(counter));
  await discard(id);
  expect(await state(counter)).toMatchObject({ settled: 60n, held: 40n, overrun: 0n, committed: 100n });
  expect(await holdsOf(id)).toEqual([{ counter, hold: '80', debit: '60', cost: '60' }]);
  expect(await brokenBooks(database.writer.db)).toEqual([]);
});

test('a letter that came twice is settled once', async () => {
  const counter = await leased();
  const event = eventOn(counter);
  for (const id of [await lettered(event), await lettered(event)]) await discard(id);
  expect(await state(counter)).toMatchObject({ settled: 60n, held: 40n, overrun: 0n });
});

test('an event that is in the ledger after all is not settled again, and other bytes under its id are', async () => {
  const counter = await leased();
  const event = eventOn(counter, { costPico: null, priceVersion: null, unrated: 'no_price' });
  const same = await lettered(event);
  const other = await lettered({ ...event, finishReason: 'length', holds: [{ counter, hold: '9', debit: '9', cost: '9' }] });
  const { epoch } = await assign(database.writer);
  await postRecords(database.writer, [recordOf(event, { offset: 0n })], { epoch });
  await discard(same);
  expect([await holdsOf(same), await state(counter)]).toMatchObject([[], { settled: 60n, held: 40n }]);
  await discard(other);
  expect(await state(counter)).toMatchObject({ settled: 69n, held: 31n, overrun: 0n });
});

test('of a letter that nobody can read, that is of nobody, or that names what is not its own, nothing is settled', async () => {
  const counter = await leased();
  const unread = await keepDeadLetter(database.writer.db, { organization_id: organizationId, value: Buffer.from('{') });
  const stranger = '00000000-0000-7000-8000-0000000000ff';
  await database.owner.execute(
    `insert into organizations (id, slug, name, created_at, updated_at) values ('${stranger}', 'other', 'Other', now(), now())`,
  );
  const foreign = await lettered(eventOn(counter, { organizationId: idFromUuid('organization', stranger) }), stranger);
  const unknown = await lettered(eventOn('00000000-0000-8000-8000-000000000001'));
  for (const id of [unread, foreign, unknown]) {
    await discard(id);
    expect(await holdsOf(id)).toEqual([]);
  }
  expect(await state(counter)).toMatchObject({ settled: 0n, held: 100n });
});
