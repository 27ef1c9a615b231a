import { createSecretKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { JournalChannel } from '../../../../services/api/live/journal-channel.ts';
import type { JournalItem } from '../../../../services/api/live/journal-feed.ts';
import { createStreamCursors } from '../../../../services/api/live/stream-cursor.ts';
import { createStreamPlace, mostLag } from '../../../../services/api/live/stream-place.ts';

const now = Date.parse('2026-11-21T00:00:00Z');
const cursors = createStreamCursors(createSecretKey(Buffer.alloc(32, 1)));
const items = (from: bigint, count: number): JournalItem[] =>
  Array.from({ length: count }, (_none, index) => ({
    position: from + BigInt(index),
    sequencedAt: new Date(now),
    usage: null,
    audit: null,
    alert: null,
  }));

function askedInVain(): never {
  throw new Error('the database must not be asked');
}

function placeIn(channel: JournalChannel, options: { after?: string | null; epoch?: () => string; of?: 'everything' | 'audit' } = {}) {
  return createStreamPlace({
    channel,
    pages: { head: askedInVain, page: askedInVain, pageOf: askedInVain },
    cursors,
    identity: 'tail',
    epoch: options.epoch ?? (() => 'e1'),
    now: () => now,
    after: options.after ?? null,
    of: options.of ?? 'everything',
  });
}

test('a live reader that lags too far is told how much it missed, and goes on at the head', async () => {
  const channel = new JournalChannel('org', 99n);
  const place = placeIn(channel);
  channel.append(items(100n, 1), now);
  expect(await place.next()).toMatchObject({ position: 100n });
  for (let from = 101n; from < 101n + mostLag + 500n; from += 500n) channel.append(items(from, 500), now);
  const { head } = channel;
  expect(await place.next()).toMatchObject({ kind: 'gap', reason: 'SLOW_CONSUMER', dropped: head - 100n, refetch: false });
  expect(place.position()).toBe(head);
  expect(await place.next()).toBeNull();
  channel.append(items(head + 1n, 1), now);
  expect(await place.next()).toMatchObject({ position: head + 1n });
});

test('a restored journal is a gap that says to query again, at the start of a stream and within one', async () => {
  const channel = new JournalChannel('org', 99n);
  const before = cursors.encode({ organizationId: 'org', epoch: 'e0', position: 5n, identity: 'tail' });
  expect(await placeIn(channel, { after: before }).next()).toMatchObject({
    kind: 'gap',
    reason: 'EPOCH_CHANGED',
    refetch: true,
    from: null,
  });
  const beyond = cursors.encode({ organizationId: 'org', epoch: 'e1', position: 1_000n, identity: 'tail' });
  expect(await placeIn(channel, { after: beyond }).next()).toMatchObject({ kind: 'gap', reason: 'EPOCH_CHANGED', refetch: true });

  let epoch = 'e1';
  const place = placeIn(channel, { epoch: () => epoch });
  expect(await place.next()).toBeNull();
  epoch = 'e2';
  channel.reset(3n);
  expect(await place.next()).toMatchObject({ kind: 'gap', reason: 'EPOCH_CHANGED', refetch: true });
  channel.append(items(4n, 1), now);
  expect(await place.next()).toMatchObject({ position: 4n });
});

test('a cursor cannot be altered, nor used elsewhere', () => {
  const cursor = cursors.encode({ organizationId: 'org', epoch: 'e1', position: 5n, identity: 'tail' });
  expect(cursors.decode(cursor, 'org', 'tail').position).toBe(5n);
  const bytes = Buffer.from(cursor, 'base64url');
  for (let index = 0; index < bytes.length; index++) {
    const altered = Buffer.from(bytes);
    altered[index] = (altered[index] ?? 0) ^ 1;
    expect(() => cursors.decode(altered.toString('base64url'), 'org', 'tail')).toThrow();
  }
  expect(() => cursors.decode(cursor, 'other', 'tail')).toThrow();
  expect(() => cursors.decode(cursor, 'org', 'ticks')).toThrow();
  expect(() => createStreamCursors(createSecretKey(Buffer.alloc(32, 2))).decode(cursor, 'org', 'tail')).toThrow();
});
