import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SettledSoFar } from '../../../schema/values/budget-forecast.ts';
import { forecastExhaustion } from '../../../schema/values/budget-forecast.ts';

const at = (time: string): Date => new Date(`2026-11-${time}Z`);
const month: SettledSoFar = { settled: 40n, amount: 100n, since: at('01T00:00'), endsAt: new Date('2026-12-01T00:00Z'), windowMs: null };
const forever: SettledSoFar = { ...month, endsAt: null };

describe('forecast of exhaustion', () => {
  test('goes on at the average rate since the counter began', () => {
    expect(forecastExhaustion(month, at('09T00:00'))).toEqual(at('21T00:00'));
    expect(forecastExhaustion({ ...month, since: at('05T00:00') }, at('09T00:00'))).toEqual(at('15T00:00'));
    expect(forecastExhaustion(forever, at('09T00:00'))).toEqual(at('21T00:00'));
  });

  test('is null where the window ends first, and in a window that is over', () => {
    expect(forecastExhaustion(month, at('20T00:00'))).toBeNull();
    expect(forecastExhaustion(forever, at('20T00:00'))).not.toBeNull();
    expect(forecastExhaustion({ ...month, settled: 100n }, new Date('2026-12-01T00:00Z'))).toBeNull();
  });

  test('is null, and not never, where nothing is known', () => {
    expect(forecastExhaustion({ ...forever, settled: 0n }, at('09T00:00'))).toBeNull();
    expect(forecastExhaustion({ ...forever, settled: 99n }, at('01T00:00:59'))).toBeNull();
    expect(forecastExhaustion({ ...forever, settled: 99n }, at('01T00:01'))).not.toBeNull();
    expect(forecastExhaustion({ ...month, endsAt: at('01T00:01') }, at('01T00:00:01'))).toEqual(at('01T00:00:02.500'));
    expect(forecastExhaustion({ ...forever, settled: 1n, amount: 10n ** 30n }, at('09T00:00'))).toBeNull();
  });

  test('of a rolling window is known until something has left it', () => {
    const rolling = { ...forever, windowMs: 86_400_000 };
    expect(forecastExhaustion(rolling, at('01T08:00'))).toEqual(at('01T20:00'));
    expect(forecastExhaustion(rolling, at('02T00:00'))).toBeNull();
  });

  test('is now where the limit is used up, and never earlier than now or within the window too late', () => {
    expect(forecastExhaustion({ ...month, settled: 100n }, at('01T00:00'))).toEqual(at('01T00:00'));
    const amounts = fc.bigInt({ min: 0n, max: 10n ** 31n });
    const instants = fc.date({ min: at('01T00:00'), max: new Date('2027-01-31T00:00Z'), noInvalidDate: true });
    fc.assert(
      fc.property(
        amounts,
        amounts,
        instants,
        fc.option(instants),
        fc.option(fc.nat(10 ** 9)),
        instants,
        (settled, amount, since, endsAt, windowMs, now) => {
          const exhaustedAt = forecastExhaustion({ settled, amount, since, endsAt, windowMs }, now);
          if (exhaustedAt === null) return;
          expect(exhaustedAt.getTime()).toBeGreaterThanOrEqual(now.getTime());
          if (endsAt !== null) expect(exhaustedAt.getTime()).toBeLessThan(endsAt.getTime());
          expect(exhaustedAt.getTime() === now.getTime()).toBe(settled >= amount);
        },
      ),
    );
  });
});
