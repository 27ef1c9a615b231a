import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import type { CalendarKind } from './window-reference.ts';
import { changesOfClocks, referenceWindow } from './window-reference.ts';

type Case = { readonly kind: CalendarKind; readonly zone: string; readonly anchor: number; readonly at: number };

const kinds: readonly CalendarKind[] = ['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];

/** Half hours, quarters, changes by 30 minutes and by two hours, at midnight and a minute after it, a skipped day, two changes around a month. */
const zones = [
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'America/Havana',
  'America/Sao_Paulo',
  'America/St_Johns',
  'Antarctica/Troll',
  'Africa/Casablanca',
  'Pacific/Apia',
];

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const iso = (ms: number): string => new Date(ms).toISOString();

async function windowsOf(cases: readonly Case[]): Promise<readonly { readonly starts: string; readonly ends: string }[]> {
  const { rows } = await sql<{ starts_at: Date; ends_at: Date }>`
    select starts_at, ends_at from unnest(${cases.map(({ kind }) => kind)}::text[], ${cases.map(({ zone }) => zone)}::text[],
      ${cases.map(({ anchor }) => iso(anchor).slice(0, 19))}::timestamp[], ${cases.map(({ at }) => iso(at))}::timestamptz[])
      with ordinality as given (kind, zone, anchor, at, number), budget_window(kind, zone, anchor, at) order by number`.execute(
    database.writer.db,
  );
  return rows.map(({ starts_at, ends_at }) => ({ starts: iso(starts_at.getTime()), ends: iso(ends_at.getTime()) }));
}

const wall = (text: string): number => Date.parse(`${text}Z`);

test('a window of a calendar is the same as by listing local days, in any zone, over month ends, leap days and changes of clocks', async () => {
  const years = [2011, 2018, 2024];
  const changes = new Map(
    zones.map((zone) => [zone, years.flatMap((year) => changesOfClocks(Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1), zone))]),
  );
  const anchors = fc
    .tuple(
      fc.integer({ min: 1999, max: 2025 }),
      fc.integer({ min: 0, max: 11 }),
      fc.oneof(fc.constantFrom(1, 28, 29, 30, 31), fc.integer({ min: 1, max: 31 })),
      fc.constantFrom('00:00:00', '00:00:30', '00:30:00', '01:00:00', '01:30:00', '02:00:00', '02:30:00', '12:00:00', '23:59:59'),
    )
    .map(([year, month, day, time]) => {
      const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
      return Date.parse(`${iso(Date.UTC(year, month, Math.min(day, last))).slice(0, 10)}T${time}Z`);
    });
  const cases = fc.constantFrom(...zones).chain((zone) => {
    const near = changes.get(zone) ?? [];
    const anywhere = fc.integer({ min: Date.UTC(2005, 0, 1), max: Date.UTC(2025, 0, 1) });
    const nearChange = fc
      .tuple(
        fc.constantFrom(...(near.length > 0 ? near : [Date.UTC(2024, 1, 29)])),
        fc.integer({ min: -100, max: 100 }),
        fc.constantFrom(-1, 0, 1),
      )
      .map(([change, quarters, off]) => change + quarters * 900_000 + off);
    return fc.record({ kind: fc.constantFrom(...kinds), zone: fc.constant(zone), anchor: anchors, at: fc.oneof(anywhere, nearChange) });
  });
  const given = fc.sample(cases, { numRuns: 1_500, seed: 7 });
  const found = await windowsOf(given);
  const expected = given.map(({ kind, zone, anchor, at }) => {
    const { starts, ends } = referenceWindow(kind, zone, anchor, at);
    return { starts: iso(starts), ends: iso(ends) };
  });
  const differing = given.flatMap((each, index) =>
    JSON.stringify(found[index]) === JSON.stringify(expected[index])
      ? []
      : [{ ...each, anchor: iso(each.anchor), at: iso(each.at), found: found[index], expected: expected[index] }],
  );
  expect(differing).toEqual([]);

  // Windows follow one another: the end of one is the beginning of the next, and belongs to the next.
  const [atStart, atEnd, before] = await Promise.all([
    windowsOf(given.map((each, index) => ({ ...each, at: Date.parse(found[index]?.starts ?? '') }))),
    windowsOf(given.map((each, index) => ({ ...each, at: Date.parse(found[index]?.ends ?? '') }))),
    windowsOf(given.map((each, index) => ({ ...each, at: Date.parse(found[index]?.starts ?? '') - 1 }))),
  ]);
  expect(atStart).toEqual(found);
  expect(atEnd.map(({ starts }) => starts)).toEqual(found.map(({ ends }) => ends));
  expect(before.map(({ ends }) => ends)).toEqual(found.map(({ starts }) => starts));
});

describe('windows by example', () => {
  test.each([
    [
      'a month from the 31st begins on the last day of a shorter one',
      'month',
      'UTC',
      '2024-01-31T00:00:00',
      '2023-02-28T12:00Z',
      '2023-02-28T00:00Z',
      '2023-03-31T00:00Z',
    ],
    [
      'a month from the 31st in a leap year',
      'month',
      'UTC',
      '2023-01-31T00:00:00',
      '2024-02-28T23:59Z',
      '2024-01-31T00:00Z',
      '2024-02-29T00:00Z',
    ],
    ['a year from a leap day', 'year', 'UTC', '2024-02-29T00:00:00', '2025-03-01T00:00Z', '2025-02-28T00:00Z', '2026-02-28T00:00Z'],
    [
      'a quarter from the end of November',
      'quarter',
      'UTC',
      '2023-11-30T00:00:00',
      '2024-03-01T00:00Z',
      '2024-02-29T00:00Z',
      '2024-05-30T00:00Z',
    ],
    [
      'a week begins on Monday',
      'week',
      'Europe/Berlin',
      '2001-01-01T00:00:00',
      '2024-03-31T12:00Z',
      '2024-03-24T23:00Z',
      '2024-03-31T22:00Z',
    ],
    ['a day of 23 hours', 'day', 'America/New_York', '2001-01-01T00:00:00', '2024-03-10T12:00Z', '2024-03-10T05:00Z', '2024-03-11T04:00Z'],
    [
      'a day of 25 hours whose midnight comes twice begins at the first',
      'day',
      'America/Havana',
      '2001-01-01T00:00:00',
      '2024-11-03T04:30Z',
      '2024-11-03T04:00Z',
      '2024-11-04T05:00Z',
    ],
    [
      'a day that has no midnight begins when it begins',
      'day',
      'America/Sao_Paulo',
      '2001-01-01T00:00:00',
      '2018-11-04T03:00Z',
      '2018-11-04T03:00Z',
      '2018-11-05T02:00Z',
    ],
    [
      'a day that the calendar skipped has no window',
      'day',
      'Pacific/Apia',
      '2001-01-01T00:00:00',
      '2011-12-30T09:59Z',
      '2011-12-29T10:00Z',
      '2011-12-30T10:00Z',
    ],
    [
      'an hour is an hour also when clocks change',
      'hour',
      'America/New_York',
      '2001-01-01T00:00:00',
      '2024-11-03T06:59Z',
      '2024-11-03T06:00Z',
      '2024-11-03T07:00Z',
    ],
    [
      'an hour begins with the local hour',
      'hour',
      'Asia/Kathmandu',
      '2001-01-01T00:00:00',
      '2024-05-05T10:20Z',
      '2024-05-05T10:15Z',
      '2024-05-05T11:15Z',
    ],
    [
      'an instant before the anchor',
      'month',
      'UTC',
      '2030-06-15T06:00:00',
      '2024-06-15T05:59:59Z',
      '2024-05-15T06:00Z',
      '2024-06-15T06:00Z',
    ],
  ] as const)('%s', async (_name, kind, zone, anchor, at, starts, ends) => {
    const [window] = await windowsOf([{ kind, zone, anchor: wall(anchor), at: Date.parse(at) }]);
    expect(window).toEqual({ starts: iso(Date.parse(starts)), ends: iso(Date.parse(ends)) });
  });
});

test('rolling and lifetime windows have neither beginning nor end', async () => {
  const { rows } = await sql`select kind, starts_at, ends_at from unnest(array['rolling', 'lifetime']) as kind,
    budget_window(kind, 'UTC', '2001-01-01', now())`.execute(database.writer.db);
  expect(rows).toEqual([
    { kind: 'rolling', starts_at: null, ends_at: null },
    { kind: 'lifetime', starts_at: null, ends_at: null },
  ]);
});
