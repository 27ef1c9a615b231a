import { expect, test } from 'vitest';
import type { ShareShortage, TakenShare } from '../../../../services/proxy/shares/share-book.ts';
import type { ShareNode } from '../../../../services/proxy/shares/share-node.ts';
import { createShareNode } from '../../../../services/proxy/shares/share-node.ts';
import type { ShareAnswer, ShareMessage } from '../../../../services/proxy/shares/share-protocol.ts';
import { createVirtualTime } from '../../../harness/virtual-time.ts';
import { silentLog } from '../../ledger/posting.ts';
import { ShareMirror } from './share-mirror.ts';

const waitMs = 250;
const wanted = { limit: 'limit', group: '', amount: 1n, most: 5n, periodMs: null };

function nodeOver(tell: (message: ShareMessage, now: number) => Promise<ShareAnswer>) {
  const { timers, clock, advance } = createVirtualTime(0);
  const now = clock.monotonic;
  const node = createShareNode({ database: { tell: (message) => tell(message, now()) }, now, timers, log: silentLog, waitMs });
  node.begin();
  return { node, advance };
}

/** A node over a database that may be away, and holds its answers back while the test says so. */
function nodeOverDatabase(database: { isAway: boolean; isHolding: boolean } = { isAway: false, isHolding: false }) {
  const mirror = new ShareMirror(new Map([['limit', { amount: 5n, periodMs: null }]]));
  const words: ShareMessage[] = [];
  const held: (() => void)[] = [];
  const { node, advance } = nodeOver(async (message, now) => {
    words.push(message);
    if (database.isHolding) await new Promise<void>((resolve) => held.push(resolve));
    if (database.isAway) throw new Error('the database is away');
    return mirror.tell('n1', 1, message, now);
  });
  const letGo = async (): Promise<void> => {
    database.isHolding = false;
    for (const answer of held.splice(0)) answer();
    await advance(0);
  };
  return { node, advance, database, words, letGo };
}

interface Asked {
  /** Null: it waits. */
  answer: 'taken' | ShareShortage['kind'] | null;
  taken: readonly TakenShare[];
}

function ask(node: ShareNode): Asked {
  const asked: Asked = { answer: null, taken: [] };
  node.take([wanted], (taken, shortage) => {
    asked.answer = shortage?.kind ?? 'taken';
    asked.taken = taken ?? [];
  });
  return asked;
}

const answersTo = (asked: readonly Asked[]) => asked.map(({ answer }) => answer);

test('a request that waits for a word which never comes is told so after its wait, and not before', async () => {
  const { node, advance } = nodeOver(() => new Promise(() => {}));
  const told: unknown[] = [];
  node.take([wanted], (taken, shortage) => told.push([taken, shortage?.kind]));
  await advance(waitMs - 1);
  expect(told).toEqual([]);
  await advance(1);
  expect(told).toEqual([[null, 'unproven']]);
});

test('requests that wait are served by one word: the next, or the one after that where it is under way', async () => {
  const { node, advance, database, words, letGo } = nodeOverDatabase();
  await advance(0);
  const asked = [ask(node), ask(node)];
  expect(answersTo(asked)).toEqual([null, null]);
  await advance(0);
  expect(answersTo(asked)).toEqual(['taken', 'taken']);
  expect(words.map(({ isFirst, items }) => [isFirst, items.map(({ want }) => want)])).toEqual([
    [true, []],
    [false, [2n]],
  ]);

  database.isHolding = true;
  asked.push(ask(node));
  await advance(0);
  asked.push(ask(node), ask(node));
  expect(answersTo(asked)).toEqual(['taken', 'taken', null, null, null]);
  await letGo();
  expect(answersTo(asked)).toEqual(['taken', 'taken', 'taken', 'taken', 'taken']);
  expect(words).toHaveLength(4);
});

test('where the database is away a request is refused when that is known, later ones at once, and served once it is back', async () => {
  const { node, advance, database, words, letGo } = nodeOverDatabase({ isAway: true, isHolding: true });
  const early = ask(node);
  await advance(0);
  expect(early.answer).toBe(null);
  await letGo();
  expect(early.answer).toBe('unproven');
  const said = words.length;
  expect(ask(node).answer).toBe('unproven');
  await advance(0);
  expect(words).toHaveLength(said);

  database.isAway = false;
  await advance(500);
  const late = ask(node);
  await advance(0);
  expect(late.answer).toBe('taken');
});

test('without the database a share serves for 45 s after the last word that was heard, then nothing, and again once it is back', async () => {
  const { node, advance, database } = nodeOverDatabase();
  await advance(0);
  const first = ask(node);
  await advance(0);
  expect(first.answer).toBe('taken');
  database.isAway = true;
  await advance(44_999);
  expect(ask(node).answer).toBe('taken');
  await advance(1);
  expect(ask(node).answer).toBe('unproven');
  database.isAway = false;
  await advance(500);
  expect(ask(node).answer).toBe('taken');
});

test('a stop refuses who waits, lets the word under way end, and says last what still runs', async () => {
  const { node, advance, database, words, letGo } = nodeOverDatabase();
  await advance(0);
  const served = [ask(node), ask(node)];
  await advance(0);
  expect(answersTo(served)).toEqual(['taken', 'taken']);
  database.isHolding = true;
  const waiting = ask(node);
  await advance(0);
  node.settle(served[0]?.taken ?? [], [1n]);

  let isStopped = false;
  void node.stop(1_000).then(() => {
    isStopped = true;
  });
  expect(waiting.answer).toBe('unproven');
  await advance(999);
  expect([isStopped, words.length, words.at(-1)?.leaving]).toEqual([false, 3, false]);
  await letGo();
  expect([isStopped, words.length]).toEqual([true, 4]);
  expect(words.at(-1)).toMatchObject({ leaving: true, items: [{ limit: 'limit', keep: 1n, used: 1n, want: 0n, ask: 0n }] });
  await advance(2_000);
  expect(words).toHaveLength(4);
});

test.each([
  ['its last word', false],
  ['a word before that', true],
])('a stop ends at its deadline though %s is not answered, and says nothing afterwards', async (_which, isBefore) => {
  const { node, advance, database, words, letGo } = nodeOverDatabase();
  await advance(0);
  const served = ask(node);
  await advance(0);
  expect(served.answer).toBe('taken');
  database.isHolding = true;
  // Its beat tells what is used.
  if (isBefore) await advance(500);
  let isStopped = false;
  void node.stop(1_000).then(() => {
    isStopped = true;
  });
  await advance(999);
  expect([isStopped, words.length, words.at(-1)?.leaving]).toEqual([false, 3, !isBefore]);
  await advance(1);
  expect(isStopped).toBe(true);
  await letGo();
  await advance(2_000);
  expect(words).toHaveLength(3);
});

test('a stop with nothing to give back says nothing and ends at once', async () => {
  const { node, advance, words } = nodeOverDatabase();
  await advance(0);
  let isStopped = false;
  void node.stop(1_000).then(() => {
    isStopped = true;
  });
  await advance(0);
  expect([isStopped, words.length]).toEqual([true, 1]);
});
