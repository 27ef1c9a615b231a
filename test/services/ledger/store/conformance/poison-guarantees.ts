import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import type { LedgerEntryInsert } from '../../../../../services/journal/entry-columns.ts';
import { isFaultOfData } from '../../../../../services/ledger/failures.ts';
import { createLedgerMetrics } from '../../../../../services/ledger/ledger-metrics.ts';
import { createPoster } from '../../../../../services/ledger/poster.ts';
import { rollUp } from '../../../../../services/ledger/rollups.ts';
import { systemClock } from '../../../../../services/runtime/clock.ts';
import { systemRandom } from '../../../../../services/runtime/random.ts';
import { silentLog, topicName } from '../../posting.ts';
import { recordOf, recordsOf, settledEvent } from '../../settled-records.ts';
import { assignTo, entriesOf } from './acts.ts';
import type { StoreWorld } from './store-world.ts';
import { poison } from './store-world.ts';

const refused: readonly (readonly [string, Partial<LedgerEntryInsert>, Readonly<Record<string, string>>])[] = [
  ['offends a check', { error_code: poison.errorCode }, { code: '23514', constraint: poison.constraint }],
  ['has no cost and no reason why', { cost: null, unrated: null }, { code: '23514', constraint: 'ledger_entries_check' }],
  ['has a hash of the wrong length', { body_hash: Buffer.alloc(31) }, { code: '23514', constraint: 'ledger_entries_body_hash_check' }],
  ['lies in a month without room', { occurred_at: new Date('2031-05-05T05:05:05Z') }, { code: '23514' }],
  ['has more tokens than 64 bits', { tokens_input: 2n ** 63n }, { name: 'RangeError' }],
  ['has more cost than its column', { cost: 10n ** 38n }, { code: '22003' }],
  ['has a status beyond 16 bits', { status: 32_768 }, { name: 'RangeError' }],
  ['has NUL in a text', { model_requested: 'a\0b' }, { code: '22021' }],
  ['has NUL in a tag', { tags: { key: 'a\0b' } }, { code: '22P05' }],
  ['has half a character in a tag', { tags: { key: '\ud800' } }, { code: '22P02' }],
];

/** What a row is refused for, and that it alone is. */
export function poisonGuarantees(world: () => StoreWorld): void {
  describe('rows that are refused', () => {
    test.each(refused)('one that %s is refused as the fault of the data, with those beside it', async (_name, changes, error) => {
      const { ledger } = await world().connect();
      const [good, bad] = await entriesOf(ledger, recordsOf(2));
      if (good === undefined || bad === undefined) throw new Error('no entries');
      const caught: unknown = await ledger
        .transaction((books) => books.insertEntries([good, { ...bad, ...changes }]))
        .catch((thrown: unknown) => thrown);
      expect(caught).toMatchObject(error);
      expect(isFaultOfData(caught)).toBe(true);
      expect((await world().look()).entries).toEqual([]);
    });

    test('a sum that leaves its column is refused as the fault of the data, and the stored one stays', async () => {
      const { ledger } = await world().connect();
      const [entry] = await entriesOf(ledger, recordsOf(1));
      if (entry === undefined) throw new Error('no entry');
      const add = (tokens: bigint) =>
        ledger.transaction((books) => books.addRollups(rollUp([{ ...entry, tokens_input: tokens }], new Map())));
      await add(2n ** 63n - 10n);
      const before = await world().look();
      const caught: unknown = await add(10n).catch((thrown: unknown) => thrown);
      expect(caught).toMatchObject({ code: '22003' });
      expect(isFaultOfData(caught)).toBe(true);
      await expect(world().look()).resolves.toEqual(before);
      await add(9n);
      expect((await world().look()).rollups.day).toMatchObject({ requests: 2n, input: 2n ** 63n - 1n });
    });

    test('of a batch with some that are refused, exactly those become dead letters and all others are booked', async () => {
      const { ledger } = await world().connect();
      const { epoch } = await assignTo(ledger, 'owner');
      const records = recordsOf(200);
      const bad = [0, 77, 78, 199];
      for (const index of bad) records[index] = recordOf(settledEvent({ errorCode: poison.errorCode }), { offset: BigInt(index) });
      const poster = posterOn(ledger);
      await poster.post(0, epoch, records);
      const { entries, deadLetters, rollups, offsets } = await world().look();
      expect(deadLetters).toEqual(
        bad.map((index) => ({
          partition: 0,
          offset: BigInt(index),
          reason: 'refused_by_database',
          detail: `23514 ${poison.constraint}`,
        })),
      );
      expect(entries).toHaveLength(196);
      expect(rollups.hour.requests).toBe(196n);
      expect(offsets).toMatchObject([{ nextOffset: 200n }]);
    });
  });
}

function posterOn(store: Parameters<typeof createPoster>[0]['store']): ReturnType<typeof createPoster> {
  return createPoster({
    store,
    topic: topicName,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    metrics: createLedgerMetrics(new Registry()),
    onPosted: () => {},
  });
}
