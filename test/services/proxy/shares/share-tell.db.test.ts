import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createShareBook } from '../../../../services/proxy/shares/share-book.ts';
import { createShareDatabase } from '../../../../services/proxy/shares/share-database.ts';
import type { GivenRateLimit } from '../../../../services/registry/rate-limits.ts';
import { createRateLimit } from '../../../../services/registry/rate-limits.ts';
import type { TestDatabase } from '../../../harness/postgres.ts';
import { createTestDatabase } from '../../../harness/postgres.ts';
import { changeOf, makeOrganization } from '../../../harness/registry.ts';
import { seededRandom } from '../../../harness/seeded-random.ts';
import { setTestClock, stopClock, testId } from '../../../leases/sql/lease-functions.ts';
import { walk } from './happenings.ts';
import type { MirroredLimit } from './share-mirror.ts';
import { ShareMirror } from './share-mirror.ts';
import { ShareWorld } from './share-world.ts';

/** @returns the limits as the database shares them, the smallest first. */
async function makeShared({ writer: { db } }: TestDatabase, limits: GivenRateLimit['limits']) {
  const organization = await makeOrganization(db, 'acme');
  await changeOf(db, organization, (change) =>
    createRateLimit(change, { name: 'Shared', selector: [], groupBy: [], limits, reserve: null }),
  );
  return db.selectFrom('shared_limits').select(['id', 'amount', 'period_ms']).orderBy('amount').execute();
}

test('the function in the database does what its mirror does, word for word, whatever happens', async () => {
  const database = await createTestDatabase();
  try {
    const rows = await makeShared(database, [
      { unit: 'concurrent_requests', amount: '3', per: null },
      { unit: 'requests', amount: '4', per: 'ten_seconds' },
    ]);
    const limits = new Map(rows.map(({ id, amount, period_ms: periodMs }): [string, MirroredLimit] => [id, { amount, periodMs }]));
    const mirror = new ShareMirror(limits, (node) => world.givenUp(node));
    await stopClock(database, new Date(0));
    let words = 0;
    let lastWords = 0;
    const world: ShareWorld = new ShareWorld([testId('node', 1), testId('node', 2)], limits, ['a'], async (node, epoch, message, now) => {
      await setTestClock(database, new Date(now));
      const expected = mirror.tell(node, epoch, message, now);
      const answer = await createShareDatabase(database.writer.db, node, epoch).tell(message);
      const byPlace = ({ items, status }: typeof answer) => ({
        status,
        items: items.toSorted((one, other) => (one.limit < other.limit ? -1 : 1)),
      });
      words += 1;
      if (message.leaving && answer.status === 'told') lastWords += 1;
      expect([words, byPlace(answer)]).toEqual([words, byPlace(expected)]);
      return expected;
    });
    await walk(world, seededRandom(11), 500);
    expect(words).toBeGreaterThan(100);
    expect(lastWords).toBeGreaterThan(0);
  } finally {
    await database.drop();
  }
});

test('the database gives shares away only when the last request that a silent owner let through counts no more, by clocks that differ', async () => {
  await using database = await createTestDatabase();
  const [limit] = await makeShared(database, [{ unit: 'requests', amount: '1000000', per: 'ten_seconds' }]);
  if (limit === undefined) throw new Error('there is no limit');
  const [spans] = (
    await sql<{ silenceMs: number; longestPeriodMs: number }>`select (extract(epoch from share_silence()) * 1000)::integer as "silenceMs",
      (extract(epoch from share_longest_period()) * 1000)::integer as "longestPeriodMs"`.execute(database.owner.db)
  ).rows;
  if (spans === undefined) throw new Error('the database says nothing');
  const { silenceMs, longestPeriodMs } = spans;
  await stopClock(database, new Date(0));

  const owner = createShareDatabase(database.writer.db, testId('node', 1), 1);
  const book = createShareBook();
  const isTaken = (amount: bigint, now: number): boolean =>
    !('kind' in book.take([{ limit: limit.id, group: '', amount, most: limit.amount, periodMs: limit.period_ms }], now));
  // The first word tells of nothing; the second brings room for more than is taken below.
  for (let word = 0; word < 2; word += 1) {
    expect(isTaken(10_000n, 0)).toBe(false);
    const message = book.tell(0, false);
    if (message !== null) book.answered(message, await owner.tell(message), 0);
  }
  let lastTakenAt = Number.NaN;
  for (let now = 0; now <= 2 * silenceMs; now += 100) if (isTaken(1n, now)) lastTakenAt = now;
  expect(1.05 * lastTakenAt + longestPeriodMs).toBeLessThanOrEqual(silenceMs);

  const another = createShareDatabase(database.writer.db, testId('node', 2), 1);
  /** What the owner still has, as another hears it. */
  const keptAt = async (now: number): Promise<bigint | null | undefined> => {
    await setTestClock(database, new Date(now));
    const item = { limit: limit.id, group: '', keep: 0n, used: 0n, want: 1n, need: 1n, ask: 1n };
    return (await another.tell({ sequence: now, sentAt: now, isFirst: false, leaving: false, items: [item] })).items[0]?.others;
  };
  expect(await keptAt(silenceMs - 1)).toBeGreaterThanOrEqual(10_000n);
  expect(await keptAt(silenceMs)).toBe(0n);
});
