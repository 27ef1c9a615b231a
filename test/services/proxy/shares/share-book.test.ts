import { expect, test } from 'vitest';
import { createShareBook } from '../../../../services/proxy/shares/share-book.ts';
import { seededRandom } from '../../../harness/seeded-random.ts';
import { walk } from './happenings.ts';
import type { MirroredLimit } from './share-mirror.ts';
import { ShareMirror } from './share-mirror.ts';
import { ShareWorld } from './share-world.ts';

const limitsOf = (): Map<string, MirroredLimit> =>
  new Map([
    ['running', { amount: 3n, periodMs: null }],
    ['second', { amount: 5n, periodMs: 1_000 }],
    ['ten', { amount: 4n, periodMs: 10_000 }],
  ]);

function worldOf(names: readonly string[], limits = limitsOf()): { readonly world: ShareWorld; readonly mirror: ShareMirror } {
  const mirror = new ShareMirror(limits, (node) => world.givenUp(node));
  const world: ShareWorld = new ShareWorld(names, limits, ['a'], (node, epoch, message, now) => mirror.tell(node, epoch, message, now));
  return { world, mirror };
}

test.each([...limitsOf()])(
  'of a limit (%s) proxies let no more through together than it says, whatever comes late, twice or never',
  async (...limit) => {
    const limits = new Map([limit]);
    for (let seed = 1; seed <= 400; seed += 1) {
      const { world } = worldOf(['n1', 'n2'], limits);
      await walk(world, seededRandom(seed), 80).catch((error: unknown) => {
        throw new Error(`walk ${seed}`, { cause: error });
      });
    }
  },
);

/** What a node gets that tries for all of it, each time it was heard. */
async function takenOf(world: ShareWorld, node: string, limit: string, words: number): Promise<bigint> {
  const most = limitsOf().get(limit)?.amount ?? 0n;
  let taken = 0n;
  for (let word = 0; word <= words; word += 1) {
    for (let more = most - taken; more > 0n; more -= 1n) if (world.take(node, [limit, 'a'], 1n)) taken += 1n;
    // Not so long that what was taken leaves again.
    if (word < words) await world.round(100);
  }
  return taken;
}

test('after anything at all a node gets the whole of each limit, to the last unit, although another has it and does not use it', async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const { world } = worldOf(['n1', 'n2']);
    await walk(world, seededRandom(seed), 60);
    world.endAll();
    for (const [limit, { amount, periodMs }] of limitsOf()) {
      // What was let through before leaves, and the other takes all of it.
      for (let second = 0; second < 12; second += 1) await world.round();
      expect([seed, limit, await takenOf(world, 'n2', limit, 3)]).toEqual([seed, limit, amount]);
      world.endAll();
      // Not yet idle, so that it is only for the other that it gives anything back.
      await world.round(Math.max(1.05 * (periodMs ?? 0), 1_600));
      await world.round(500);
      expect([seed, limit, await takenOf(world, 'n1', limit, 4)]).toEqual([seed, limit, amount]);
      world.endAll();
    }
  }
});

test('a proxy that was killed and comes back begins with what it may have used', async () => {
  const { world } = worldOf(['n1', 'n2']);
  expect(await takenOf(world, 'n1', 'ten', 6)).toBe(4n);
  expect(world.used('ten', 'a')).toBe(4n);
  world.kill('n1');
  for (let word = 0; word < 20; word += 1) {
    for (const node of ['n1', 'n2']) expect(world.take(node, ['ten', 'a'], 1n)).toBe(false);
    await world.round(400);
  }
  await world.round(3_000);
  expect(await takenOf(world, 'n1', 'ten', 4)).toBe(4n);
});

test('of what runs at once a proxy that was killed has its part back with its first word, and both together run all of it', async () => {
  const { world } = worldOf(['n1', 'n2'], new Map([['five', { amount: 5n, periodMs: null }]]));
  const start = (node: string, times: number): number =>
    Array.from({ length: times }, () => world.take(node, ['five', 'a'], 1n)).filter(Boolean).length;
  let [ofOne, ofOther] = [0, 0];
  // Some rounds longer than it takes, until nobody is short any more.
  for (let word = 0; word < 8; word += 1) {
    ofOne += start('n1', 3 - ofOne);
    ofOther += start('n2', 2 - ofOther);
    await world.round(500);
  }
  expect([ofOne, ofOther]).toEqual([3, 2]);
  world.kill('n1');
  expect([start('n1', 1), world.used('five', 'a')]).toEqual([0, 2n]);
  await world.talk('n1');
  expect([start('n1', 4), start('n2', 1)]).toEqual([3, 0]);
  expect(world.used('five', 'a')).toBe(5n);
});

test('a request that waited and finds no room again is not asked for twice', () => {
  const book = createShareBook();
  const wanted = (amount: bigint) => [{ limit: 'l', group: '', amount, most: 10n, periodMs: 1_000 }];
  const answered = (share: bigint, others: bigint) => {
    const message = book.tell(0, false);
    if (message === null) throw new Error('there is nothing to say');
    const items = message.items.map(() => ({ limit: 'l', group: '', share, others, amount: 10n, recall: null, periodMs: 1_000 }));
    book.answered(message, { status: 'told', items }, 0);
    return message.items;
  };
  expect(answered(0n, 0n)).toEqual([]);
  expect(book.take(wanted(3n), 0)).toMatchObject({ kind: 'short' });
  expect(answered(1n, 9n)).toMatchObject([{ want: 3n, need: 3n }]);
  expect(book.take(wanted(3n), 0, true)).toMatchObject({ kind: 'short' });
  expect(book.take(wanted(2n), 0)).toMatchObject({ kind: 'short' });
  expect(answered(1n, 9n)).toMatchObject([{ want: 3n, need: 2n }]);
});

test('of a limit of one that two want, each has it in turns', async () => {
  const { world } = worldOf(['n1', 'n2'], new Map([['one', { amount: 1n, periodMs: null }]]));
  const served = new Map([...world.nodes.keys()].map((node) => [node, 0]));
  for (let turn = 0; turn < 120; turn += 1) {
    for (const node of world.nodes.keys()) if (world.take(node, ['one', 'a'], 1n)) served.set(node, (served.get(node) ?? 0) + 1);
    await world.round(500);
    world.endAll();
  }
  for (const times of served.values()) expect(times).toBeGreaterThan(20);
});

test('a lowered limit holds at once for each proxy, and for all of them once they were heard', async () => {
  const limits: Map<string, MirroredLimit> = new Map([['many', { amount: 10n, periodMs: null }]]);
  const { world, mirror } = worldOf(['n1', 'n2'], limits);
  for (let word = 0; word < 4; word += 1) {
    for (const node of world.nodes.keys()) for (let more = 0; more < 5; more += 1) world.take(node, ['many', 'a'], 1n);
    await world.round(500);
  }
  expect(world.used('many', 'a')).toBe(10n);
  world.endAll();
  limits.set('many', { amount: 3n, periodMs: null });
  for (let more = 0; more < 5; more += 1) world.take('n1', ['many', 'a'], 1n);
  expect(world.used('many', 'a')).toBe(3n);
  for (let word = 0; word < 4; word += 1) await world.round(500);
  expect(mirror.given('many', 'a')).toBeLessThanOrEqual(3n);
});
