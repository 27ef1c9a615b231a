import { expect, test } from 'vitest';
import { describeFault, planFaults } from './plan-faults.ts';

const options = { seed: 7, durationMs: 120_000, processes: { proxy: 2, ledger: 2, api: 2 } };
const kindsOf = (plan: ReturnType<typeof planFaults>): string[] =>
  plan.map(
    ({ fault }) => `${fault.kind} ${'deed' in fault ? fault.deed : 'link' in fault ? fault.link : 'process' in fault ? fault.process : ''}`,
  );

test('the same seed plans the same run, another one another', () => {
  expect(planFaults(options)).toEqual(planFaults(options));
  expect(planFaults(options)).not.toEqual(planFaults({ ...options, seed: 8 }));
});

test('even a short run meets every kind of fault, each within the run', () => {
  const plan = planFaults(options);
  const kinds = new Set(kindsOf(plan));
  expect(kinds.size).toBe(plan.length);
  expect(kinds.size).toBe(30);
  for (const { atMs } of plan) {
    expect(atMs).toBeGreaterThanOrEqual(3_000);
    expect(atMs).toBeLessThanOrEqual(114_000);
  }
});

test('a long run deals the deck again and again, in another order', () => {
  const kinds = kindsOf(planFaults({ ...options, durationMs: 3_600_000 }));
  expect(kinds.length).toBeGreaterThan(590);
  expect(new Set(kinds.slice(0, 30))).toEqual(new Set(kinds.slice(30, 60)));
  expect(kinds.slice(0, 30)).not.toEqual(kinds.slice(30, 60));
});

test('a fault is told in a few words', () => {
  expect(describeFault({ kind: 'clock', process: 'ledger', number: 2, byMs: -2_000, forMs: 1 })).toEqual({
    what: 'clock jumps back',
    where: 'ledger 2',
  });
  expect(describeFault({ kind: 'damage', link: 'kafka' })).toEqual({ what: 'damage', where: 'link to kafka' });
});
