import fc from 'fast-check';
import { expect, test } from 'vitest';

test('every run of the properties tries the same values, unless it is asked for others', () => {
  const seed = Number(process.env.TURNPIKE_TEST_SEED ?? 20_261_121);
  expect(fc.readConfigureGlobal().seed).toBe(seed);
  const tried = (): number[] => {
    const values: number[] = [];
    fc.assert(fc.property(fc.integer(), (value) => void values.push(value)));
    return values;
  };
  expect(tried()).toEqual(tried());
});
