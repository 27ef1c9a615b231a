import { expect, test } from 'vitest';
import { JournalChannel } from '../../../../services/api/live/journal-channel.ts';
import type { JournalItem } from '../../../../services/api/live/journal-feed.ts';

const now = Date.parse('2026-11-21T00:00:00Z');
const items = (from: number, count: number, ageMs = 0): JournalItem[] =>
  Array.from({ length: count }, (_none, index) => ({
    position: BigInt(from + index),
    sequencedAt: new Date(now - ageMs),
    usage: null,
    audit: null,
    alert: null,
  }));

test('what is remembered is given out by position, in order', () => {
  const channel = new JournalChannel('org', 9n);
  expect(channel.after(9n, 10)).toEqual([]);
  channel.append(items(10, 5), now);
  expect(channel.head).toBe(14n);
  expect(channel.after(9n, 10)?.map((item) => item.position)).toEqual([10n, 11n, 12n, 13n, 14n]);
  expect(channel.after(11n, 2)?.map((item) => item.position)).toEqual([12n, 13n]);
  expect(channel.after(14n, 2)).toEqual([]);
});

test('what was before the channel or is forgotten is said to be unknown, not absent', () => {
  const channel = new JournalChannel('org', 9n);
  channel.append(items(10, 5), now);
  expect(channel.after(3n, 10)).toBeNull();
});

test('at most 2,000 items and 60 seconds are remembered, however many come', () => {
  const channel = new JournalChannel('org', -1n);
  for (let page = 0; page < 10; page++) channel.append(items(page * 500, 500), now);
  expect(channel.head).toBe(4_999n);
  expect(channel.after(2_998n, 10)).toBeNull();
  expect(channel.after(2_999n, 1)?.map((item) => item.position)).toEqual([3_000n]);
  channel.append(items(5_000, 1), now + 61_000);
  expect(channel.after(4_998n, 10)).toBeNull();
});

test('a wake-up reaches who follows, and no one who has left', () => {
  const channel = new JournalChannel('org', -1n);
  let woken = 0;
  const leave = channel.follow(() => {
    woken += 1;
  });
  channel.append(items(0, 3), now);
  expect(woken).toBe(1);
  channel.append([], now);
  expect(woken).toBe(1);
  leave();
  channel.append(items(3, 1), now);
  expect(woken).toBe(1);
});
