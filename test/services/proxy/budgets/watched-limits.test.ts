import { expect, test } from 'vitest';
import type { LimitPlace } from '../../../../services/proxy/budgets/watched-limits.ts';
import { createWatchedLimits } from '../../../../services/proxy/budgets/watched-limits.ts';
import { recordingLog } from '../../../harness/recording-log.ts';

/** Limits whose time and database are the test's. */
function world() {
  let at = 0;
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  const looks: (readonly LimitPlace[])[] = [];
  const database = { away: false, settled: 1n };
  const log = recordingLog();
  const audited = createWatchedLimits({
    look: async (places) => {
      looks.push(places);
      if (database.away) throw new Error('away');
      return places.map(() => ({ amount: 10n, settled: database.settled }));
    },
    now: () => at,
    timers: {
      endOfTurn: (run) => queueMicrotask(run),
      after: (delayMs, run) => {
        const timer = { at: at + delayMs, run };
        timers.push(timer);
        return () => {
          timers = timers.filter((each) => each !== timer);
        };
      },
    },
    log,
  });
  const pass = async (ms: number): Promise<void> => {
    at += ms;
    const due = timers.filter((timer) => timer.at <= at);
    timers = timers.filter((timer) => timer.at > at);
    for (const { run } of due) run();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { audited, looks, database, log, pass };
}

test('a limit is looked at soon after it is used first, together with others, and again at most once a second', async () => {
  const { audited, looks, pass } = world();
  expect([audited.see('a', ''), audited.see('a', 'x'), audited.see('a', '')]).toEqual([null, null, null]);
  await pass(25);
  expect(looks.map((places) => places.map(({ group }) => group))).toEqual([['', 'x']]);
  expect(audited.see('a', '')).toEqual({ amount: 10n, settled: 1n });
  await pass(500);
  audited.see('a', '');
  expect(looks).toHaveLength(1);
  await pass(600);
  audited.see('a', '');
  await pass(25);
  expect(looks).toHaveLength(2);
  // Nobody looks at what nobody uses.
  await pass(60_000);
  expect(looks).toHaveLength(2);
});

test('nothing is judged by what was seen more than five seconds ago', async () => {
  const { audited, database, pass } = world();
  audited.see('a', '');
  await pass(25);
  database.away = true;
  await pass(5_000);
  expect(audited.lastSeen('a', '')).not.toBeNull();
  await pass(1);
  expect([audited.see('a', ''), audited.lastSeen('a', '')]).toEqual([null, null]);
});

test('while the database is away it is tried once a second and complained of once', async () => {
  const { audited, database, looks, log, pass } = world();
  database.away = true;
  for (let second = 0; second < 5; second++) {
    audited.see('a', '');
    await pass(1_000);
  }
  expect(looks.length).toBeLessThanOrEqual(5);
  expect(log.lines.filter((line) => line.includes('limits cannot be looked at'))).toHaveLength(1);
  database.away = false;
  audited.see('a', '');
  await pass(1_000);
  expect(audited.lastSeen('a', '')).toEqual({ amount: 10n, settled: 1n });
});

test('of more than twenty thousand limits and groups the old ones are forgotten', async () => {
  const { audited, pass } = world();
  audited.see('a', 'first');
  await pass(25);
  for (let group = 0; group < 20_000; group++) audited.see('a', String(group));
  expect(audited.lastSeen('a', 'first')).toBeNull();
});
