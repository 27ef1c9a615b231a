import { expect, test } from 'vitest';
import { createShareDatabase } from '../../../../services/proxy/shares/share-database.ts';
import { createRateLimit } from '../../../../services/registry/rate-limits.ts';
import { createTestDatabase } from '../../../harness/postgres.ts';
import { changeOf, makeOrganization } from '../../../harness/registry.ts';
import { seededRandom } from '../../../harness/seeded-random.ts';
import { setTestClock, stopClock, testId } from '../../../leases/sql/lease-functions.ts';
import { walk } from './happenings.ts';
import type { MirroredLimit } from './share-mirror.ts';
import { ShareMirror } from './share-mirror.ts';
import { ShareWorld } from './share-world.ts';

test('the function in the database does what its mirror does, word for word, whatever happens', async () => {
  const database = await createTestDatabase();
  try {
    const organization = await makeOrganization(database.writer.db, 'acme');
    await changeOf(database.writer.db, organization, (change) =>
      createRateLimit(change, {
        name: 'Shared',
        selector: [],
        groupBy: [],
        limits: [
          { unit: 'concurrent_requests', amount: '3', per: null },
          { unit: 'requests', amount: '4', per: 'ten_seconds' },
        ],
        reserve: null,
      }),
    );
    const rows = await database.writer.db.selectFrom('shared_limits').select(['id', 'amount', 'period_ms']).orderBy('amount').execute();
    const limits = new Map(rows.map(({ id, amount, period_ms: periodMs }): [string, MirroredLimit] => [id, { amount, periodMs }]));
    const mirror = new ShareMirror(limits, (node) => world.givenUp(node));
    await stopClock(database, new Date(0));
    let words = 0;
    const world: ShareWorld = new ShareWorld([testId('node', 1), testId('node', 2)], limits, ['a'], async (node, epoch, message, now) => {
      await setTestClock(database, new Date(now));
      const expected = mirror.tell(node, epoch, message, now);
      const answer = await createShareDatabase(database.writer.db, node, epoch).tell(message);
      const byPlace = ({ items, status }: typeof answer) => ({
        status,
        items: items.toSorted((one, other) => (one.limit < other.limit ? -1 : 1)),
      });
      words += 1;
      expect([words, byPlace(answer)]).toEqual([words, byPlace(expected)]);
      return expected;
    });
    await walk(world, seededRandom(11), 500);
    expect(words).toBeGreaterThan(100);
  } finally {
    await database.drop();
  }
});
