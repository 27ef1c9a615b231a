import { expect, test } from 'vitest';
import type { ShareBook, ShareWanted } from '../../../../services/proxy/shares/share-book.ts';
import { createShareBook } from '../../../../services/proxy/shares/share-book.ts';
import { ShareMirror } from './share-mirror.ts';

const wantedOf = (limit: string, amount = 1n): ShareWanted => ({ limit, group: '', amount, most: 4n, periodMs: null });

/** What a request for so many slots hears; what is let through runs on. */
function answerTo(book: ShareBook, limit: string, now: number, amount = 1n): string {
  const taken = book.take([wantedOf(limit, amount)], now);
  return 'kind' in taken ? taken.kind : 'taken';
}

const mirrorOf = (...limits: readonly string[]) => new ShareMirror(new Map(limits.map((limit) => [limit, { amount: 4n, periodMs: null }])));

test('a word counts from when it was sent: however late it is answered, nothing is let through from 45 s after that on', () => {
  const mirror = mirrorOf('limit');
  const book = createShareBook();
  const word = (sentAt: number, answeredAt: number): void => {
    const message = book.tell(sentAt, false);
    if (message !== null) book.answered(message, mirror.tell('n1', 1, message, answeredAt), answeredAt);
  };
  word(0, 0);
  expect(answerTo(book, 'limit', 10_000)).toBe('short');
  word(10_000, 40_000);
  expect(answerTo(book, 'limit', 54_999)).toBe('taken');
  expect(answerTo(book, 'limit', 55_000)).toBe('unproven');
  // The next is answered when it counts no more.
  word(56_000, 101_000);
  expect(answerTo(book, 'limit', 101_000)).toBe('unproven');
  word(101_000, 101_000);
  expect(answerTo(book, 'limit', 101_000)).toBe('taken');
});

test('who was not heard for too long has nothing again of what its next word does not tell of', () => {
  const mirror = mirrorOf('told', 'other');
  const books = { n1: createShareBook(), n2: createShareBook() };
  const word = (node: keyof typeof books, now: number): readonly string[] => {
    const message = books[node].tell(now, false);
    if (message === null) return [];
    books[node].answered(message, mirror.tell(node, 1, message, now), now);
    return message.items.map(({ limit }) => limit);
  };
  word('n1', 0);
  for (const limit of ['told', 'other']) expect(answerTo(books.n1, limit, 0)).toBe('short');
  word('n1', 0);
  for (const limit of ['told', 'other']) expect(answerTo(books.n1, limit, 0)).toBe('taken');
  // Both run on; from now on there is nothing new to tell of them.
  word('n1', 2_000);
  word('n2', 62_500);
  expect(answerTo(books.n2, 'other', 62_500, 4n)).toBe('short');
  word('n2', 62_500);
  expect(answerTo(books.n2, 'other', 62_500, 4n)).toBe('taken');

  expect(answerTo(books.n1, 'told', 63_000)).toBe('unproven');
  expect(word('n1', 63_000)).toEqual(['told']);
  expect(answerTo(books.n1, 'told', 63_000)).toBe('taken');
  expect(answerTo(books.n1, 'other', 63_000)).toBe('short');
});

test('the last word of a process leaves others all but what still runs', () => {
  const mirror = mirrorOf('limit');
  const book = createShareBook();
  const word = (leaving: boolean): void => {
    const message = book.tell(0, leaving);
    if (message !== null) book.answered(message, mirror.tell('n1', 1, message, 0), 0);
  };
  word(false);
  expect(answerTo(book, 'limit', 0)).toBe('short');
  word(false);
  expect([answerTo(book, 'limit', 0), mirror.given('limit', '')]).toEqual(['taken', 2n]);
  word(true);
  expect(mirror.given('limit', '')).toBe(1n);
});
