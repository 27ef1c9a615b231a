import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { basisPointsOf } from '../../../../schema/values/budget-threshold.ts';
import type { ToldThreshold } from '../../../../services/ledger/alerts/crossed-thresholds.ts';
import { crossedThresholds } from '../../../../services/ledger/alerts/crossed-thresholds.ts';

type Told = { readonly basisPoints: number; readonly occurrence: number; readonly settled: bigint; readonly amount: bigint };

function newest(alerts: readonly Told[]): ReadonlyMap<number, ToldThreshold> {
  const known = new Map<number, ToldThreshold>();
  for (const { basisPoints, settled } of alerts) {
    const before = known.get(basisPoints);
    const isMost = before === undefined || before.settled === null || settled > before.settled;
    known.set(basisPoints, { times: (before?.times ?? 0) + 1, settled: isMost ? settled : before.settled });
  }
  return known;
}

/** A counter whose thresholds are looked at when asked; the books keep an alert once, whoever brings it. */
function counterOf(thresholds: readonly number[], amount: bigint) {
  const alerts: Told[] = [];
  const state = { settled: 0n, amount };
  const found = () => crossedThresholds({ ...state, thresholds, told: newest(alerts) }).map((crossed) => ({ ...crossed, ...state }));
  const keep = (told: readonly Told[]): void => {
    for (const alert of told) {
      if (!alerts.some(({ basisPoints, occurrence }) => basisPoints === alert.basisPoints && occurrence === alert.occurrence))
        alerts.push(alert);
    }
  };
  return { alerts, state, found, keep };
}

const reaches = (settled: bigint, amount: bigint, basisPoints: number): boolean =>
  settled > 0n && settled * 10_000n >= amount * BigInt(basisPoints);
const thresholdSets = fc.uniqueArray(fc.integer({ min: 1, max: 15_000 }), { maxLength: 4 });
const amounts = fc.bigInt({ min: 0n, max: 1_000n });

const actions = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('settle' as const), by: fc.bigInt({ min: -200n, max: 400n }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('change' as const), by: amounts }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('look' as const), by: fc.bigInt({ min: 1n, max: 3n }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const), by: fc.constant(0n) }) },
  ),
  { maxLength: 40 },
);

describe('thresholds of a counter', () => {
  test('each is told once while the limit stays, as soon as what is settled has come to it', () => {
    fc.assert(
      fc.property(
        thresholdSets,
        amounts,
        fc.array(fc.bigInt({ min: -200n, max: 400n }), { maxLength: 30 }),
        (thresholds, amount, changes) => {
          const counter = counterOf(thresholds, amount);
          const reached = new Set<number>();
          for (const change of changes) {
            counter.state.settled += change;
            for (const threshold of thresholds) if (reaches(counter.state.settled, amount, threshold)) reached.add(threshold);
            counter.keep(counter.found());
          }
          expect(counter.alerts.map(({ basisPoints }) => basisPoints).sort()).toEqual([...reached].sort());
          expect(counter.alerts.every(({ occurrence }) => occurrence === 1)).toBe(true);
        },
      ),
    );
  });

  test('over settlements, credits, changed limits and resets, each amount they stand for is passed once in a window and none is missed', () => {
    fc.assert(
      fc.property(thresholdSets, amounts, actions, (thresholds, amount, steps) => {
        let counter = counterOf(thresholds, amount);
        const counters = [counter];
        for (const { kind, by } of steps) {
          if (kind === 'settle') counter.state.settled += by;
          if (kind === 'change') counter.state.amount = by;
          if (kind === 'reset') {
            counter = counterOf(thresholds, counter.state.amount);
            counters.push(counter);
          }
          if (kind !== 'look') continue;
          // Several looked at the same moment, none of which has seen what the others found.
          const found = Array.from({ length: Number(by) }, () => counter.found());
          for (const told of found) counter.keep(told);
          expect(counter.found()).toEqual([]);
          const { settled } = counter.state;
          for (const threshold of thresholds.filter((each) => reaches(settled, counter.state.amount, each))) {
            const told = counter.alerts.filter(({ basisPoints }) => basisPoints === threshold);
            expect(told.some((alert) => reaches(alert.settled, counter.state.amount, threshold))).toBe(true);
          }
        }
        for (const { alerts } of counters) {
          for (const told of Map.groupBy(alerts, ({ basisPoints }) => basisPoints).values()) {
            expect(told.map(({ occurrence }) => occurrence)).toEqual(told.map((_, index) => index + 1));
            for (const [index, alert] of told.entries()) {
              expect(reaches(alert.settled, alert.amount, alert.basisPoints)).toBe(true);
              // A further one is of a limit so much larger that nothing told before had come to it.
              for (const before of told.slice(0, index)) expect(reaches(before.settled, alert.amount, alert.basisPoints)).toBe(false);
            }
          }
        }
      }),
    );
  });

  test('one that was told a whole rolling window ago is told again, and a limit of nothing only once something is settled', () => {
    const judged = { settled: 9n, amount: 10n, thresholds: [8_000, 10_000] };
    expect(crossedThresholds({ ...judged, told: new Map([[8_000, { times: 3, settled: null }]]) })).toEqual([
      { basisPoints: 8_000, occurrence: 4 },
    ]);
    expect(crossedThresholds({ settled: 0n, amount: 0n, thresholds: [1], told: new Map() })).toEqual([]);
    expect(crossedThresholds({ settled: 1n, amount: 0n, thresholds: [1], told: new Map() })).toEqual([{ basisPoints: 1, occurrence: 1 }]);
  });

  test('is read from a percentage to the hundredth', () => {
    expect(['80', '80.0', '80.5', '0.01', '100.25', '1000'].map(basisPointsOf)).toEqual([8_000, 8_000, 8_050, 1, 10_025, 100_000]);
  });
});
