import { expect, test } from 'vitest';
import { runBudget } from './run-budget.ts';

/** TURNPIKE_CHAOS_SEED tries another schedule. */
const seed = Number(process.env.TURNPIKE_CHAOS_SEED ?? 20_261_121);

test('one dollar through four proxies at 256 at once, killed, frozen, without a disk and without PostgreSQL at times, is not overspent, and is spent to the last token', async () => {
  const report = await runBudget({
    seed,
    forMs: 0,
    atOnce: 256,
    mostLoadMs: 3_000,
    mostRecoveries: 1,
    patient: false,
    onProgress: (line) => void process.stderr.write(`  ${line}\n`),
  });
  expect(report.problems).toEqual([]);
  expect(report.rounds[0]?.entries).toBeGreaterThan(200);
}, 600_000);
