import { expect, test } from 'vitest';
import type { AccessToken } from '../../../../services/proxy/credentials/access-token.ts';
import type { RefreshedToken } from '../../../../services/proxy/credentials/refreshed-token.ts';
import { createRefreshedToken } from '../../../../services/proxy/credentials/refreshed-token.ts';

/** A token whose time and attempts the test decides. */
function refreshed(answers: (AccessToken | Error)[]) {
  let nowMs = 0;
  let waiting: { readonly at: number; readonly run: () => void } | null = null;
  const failures: unknown[] = [];
  const token: RefreshedToken = createRefreshedToken({
    fetchToken: async () => {
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error('nothing more');
      return answer;
    },
    clock: { now: () => nowMs, monotonic: () => nowMs },
    timers: {
      endOfTurn: setImmediate,
      after: (delayMs, run) => {
        waiting = { at: nowMs + delayMs, run };
        return () => {
          waiting = null;
        };
      },
    },
    onFailure: (error) => failures.push(error),
  });
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    token,
    failures,
    settle,
    nextAt: () => waiting?.at ?? null,
    passTo: async (atMs: number): Promise<void> => {
      nowMs = atMs;
      const due = waiting;
      if (due === null || due.at > atMs) return;
      waiting = null;
      due.run();
      await settle();
    },
  };
}

const HOUR_MS = 3_600_000;

test('a token is got at once, and another five minutes before it expires', async () => {
  const { token, settle, nextAt, passTo } = refreshed([
    { token: 'first', expiresAtMs: HOUR_MS },
    { token: 'second', expiresAtMs: 2 * HOUR_MS },
  ]);
  expect([token.current(), token.isFailing()]).toEqual([null, false]);
  await settle();
  expect([token.current(), nextAt()]).toEqual(['first', HOUR_MS - 300_000]);
  await passTo(HOUR_MS - 300_000);
  expect(token.current()).toBe('second');
});

test('a short life is renewed when a fifth of it is left', async () => {
  const { settle, nextAt } = refreshed([{ token: 'first', expiresAtMs: 100_000 }]);
  await settle();
  expect(nextAt()).toBe(80_000);
});

test('where a token cannot be replaced the old one stays until it expires, and attempts go on', async () => {
  const down = new Error('down');
  const { token, failures, settle, nextAt, passTo } = refreshed([
    { token: 'first', expiresAtMs: HOUR_MS },
    down,
    down,
    down,
    { token: 'second', expiresAtMs: 3 * HOUR_MS },
  ]);
  await settle();
  const due = HOUR_MS - 300_000;
  await passTo(due);
  expect([token.current(), token.isFailing(), nextAt()]).toEqual(['first', true, due + 1_000]);
  await passTo(due + 1_000);
  expect(nextAt()).toBe(due + 3_000);
  await passTo(HOUR_MS);
  expect([token.current(), failures.length]).toEqual([null, 3]);
  await passTo(HOUR_MS + 4_000);
  expect([token.current(), token.isFailing()]).toEqual(['second', false]);
});

test('one that is stopped asks no more', async () => {
  const { token, settle, nextAt } = refreshed([{ token: 'first', expiresAtMs: HOUR_MS }]);
  await settle();
  token.stop();
  expect(nextAt()).toBeNull();
});
