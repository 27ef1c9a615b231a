import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../../../services/runtime/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { brokenBooks, changeAmount, insertLimit, insertOrganization, leaseFunctions, testId } from './lease-functions.ts';

test('eight connections at once that ask, return, post, correct, beat, register and reset: no deadlock, and the books agree', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  await insertOrganization(db);
  const limits = [
    await insertLimit(db, { number: 1, amount: 5_000n }),
    await insertLimit(db, { number: 2, amount: 5_000n, kind: 'rolling', windowSeconds: 60 }),
    await insertLimit(db, { number: 3, amount: 5_000n, kind: 'minute' }),
  ];
  const connection = createDatabase({ url: database.url, role: 'writer', applicationName: 'turnpike-test-eight', poolSize: 8 });
  onTestFinished(() => connection.close());
  const functions = leaseFunctions(connection.db);
  /** What each node remembers; two connections belong to each, so their messages overtake one another. */
  const nodes = [1, 2, 3, 4].map((number) => ({
    id: testId('node', number),
    epoch: 1,
    beat: 0,
    granted: new Map<string, { epoch: number; granted: bigint }>(),
    /** The counter of a limit and group, once an answer has named it. */
    counters: new Map<string, string>(),
  }));
  for (const node of nodes) await functions.register(node.id, 1, 'e1');
  const outcomes = new Map<string, number>();

  const worker = async (number: number): Promise<void> => {
    const random = seededRandom(number);
    const node = nodes[number % nodes.length];
    if (node === undefined) return;
    const shuffled = <T>(items: readonly T[]): T[] =>
      items
        .map((item) => ({ item, at: random.fraction() }))
        .sort((a, b) => a.at - b.at)
        .map(({ item }) => item);
    const counters = (): string[] => nodes.flatMap(({ granted }) => [...granted.keys()]);
    for (let step = 0; step < 60; step += 1) {
      const { epoch } = node;
      const own = shuffled([...node.granted]).slice(0, 3);
      switch (random.below(12)) {
        case 0:
          await functions.giveBack(
            node.id,
            epoch,
            own.map(([counter, { granted }]) => ({ counter, returned: (granted * BigInt(random.below(100))) / 100n })),
          );
          break;
        case 1:
        case 2:
        case 3: {
          const posted = shuffled(counters()).slice(0, 6);
          const holds = posted.flatMap((counter) => {
            const debit = BigInt(random.below(40));
            const hold = { counter, node: node.id, epoch, debit };
            return [
              { ...hold, cost: debit },
              { ...hold, cost: BigInt(random.below(40)) },
            ];
          });
          await functions.post(holds);
          break;
        }
        case 4: {
          const [counter] = shuffled(counters());
          if (counter !== undefined) await functions.correct(counter, BigInt(random.below(20) - 10), new Date());
          break;
        }
        case 5: {
          const [answer] = await functions.beat(node.id, epoch, `e${epoch}`, node.beat, `${number}/${step}`);
          if (answer?.status === 'taken' && node.epoch === epoch) node.beat = Math.max(node.beat, Number(answer.beat));
          break;
        }
        case 6:
          if (random.below(3) > 0) break;
          await functions.register(
            node.id,
            epoch + 1,
            `e${epoch + 1}`,
            own.map(([counter, lease]) => ({ counter, epoch: lease.epoch, final: lease.granted / 2n })),
            { torn: random.below(2) === 0 ? [epoch] : [] },
          );
          // Only now: a beat of an epoch that the database does not know would prove a restore.
          if (node.epoch > epoch) break;
          node.epoch = epoch + 1;
          node.beat = 0;
          break;
        case 7: {
          const limit = limits[random.below(limits.length)] ?? '';
          if (random.below(4) === 0) await functions.reset(limit);
          else await changeAmount(connection.db, limit, BigInt(3_000 + random.below(4_000)));
          break;
        }
        default: {
          const items = shuffled(limits.flatMap((limit) => ['x', 'y'].map((group) => ({ limit, group })))).slice(0, 4);
          const asked = items.map((item) => {
            const counter = node.counters.get(`${item.limit}/${item.group}`) ?? null;
            const lease = node.granted.get(counter ?? '');
            const known = lease?.epoch === epoch ? { counter, known: lease.granted } : {};
            return { ...item, ...known, need: BigInt(random.below(30)), want: 300n };
          });
          const answers = await functions.ask(node.id, epoch, asked, { live: 4, all: random.below(2) === 0 });
          for (const [index, row] of answers.entries()) {
            outcomes.set(row.outcome, (outcomes.get(row.outcome) ?? 0) + 1);
            const place = `${asked[index]?.limit}/${asked[index]?.group}`;
            if (row.outcome === 'gone') node.counters.delete(place);
            if (row.counter_id === null || row.status !== 'answered' || row.outcome === 'gone') continue;
            node.counters.set(place, row.counter_id);
            const before = node.granted.get(row.counter_id);
            if (before?.epoch === epoch && before.granted >= row.granted) continue;
            if ((before?.epoch ?? 0) <= epoch) node.granted.set(row.counter_id, { epoch, granted: row.granted });
          }
        }
      }
    }
  };
  await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(worker));

  expect(await brokenBooks(database.owner.db)).toEqual([]);
  // Nobody took a message that came late for a restored database, in which nothing is granted any more.
  const { generation } = await database.owner.db.selectFrom('lease_generation').select('generation').executeTakeFirstOrThrow();
  expect(generation).toBe(1n);
  expect(outcomes.get('granted')).toBeGreaterThan(50);
  const { entries } = await database.owner.db
    .selectFrom('lease_log')
    .select(({ fn }) => fn.countAll<bigint>().as('entries'))
    .executeTakeFirstOrThrow();
  expect(entries).toBeGreaterThan(100n);
}, 300_000);
