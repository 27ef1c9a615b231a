import fc from 'fast-check';
import { expect, test } from 'vitest';
import { INPUT_CLASSES, OUTPUT_CLASSES, sumClasses, TOKEN_CLASSES, UNKNOWN_USAGE } from '../../../schema/values/token-usage.ts';

const count = fc.option(fc.nat(), { nil: null });
const anyUsage = fc.record({
  input: count,
  cacheRead: count,
  cacheWrite5m: count,
  cacheWrite1h: count,
  inputAudio: count,
  inputImage: count,
  output: count,
  reasoning: count,
  outputAudio: count,
  outputImage: count,
});

test('each class is input or output, and none is both', () => {
  expect(new Set(TOKEN_CLASSES).size).toBe(INPUT_CLASSES.length + OUTPUT_CLASSES.length);
  expect(Object.keys(UNKNOWN_USAGE).sort()).toEqual([...TOKEN_CLASSES].sort());
});

test('nothing known sums to unknown, not to zero', () => {
  expect(sumClasses(UNKNOWN_USAGE, TOKEN_CLASSES)).toBeNull();
  expect(sumClasses({ ...UNKNOWN_USAGE, cacheRead: 0 }, INPUT_CLASSES)).toBe(0);
  expect(sumClasses({ ...UNKNOWN_USAGE, cacheRead: 3 }, OUTPUT_CLASSES)).toBeNull();
});

test('input and output classes together are the total', () => {
  fc.assert(
    fc.property(anyUsage, (usage) => {
      const input = sumClasses(usage, INPUT_CLASSES);
      const output = sumClasses(usage, OUTPUT_CLASSES);
      const total = sumClasses(usage, TOKEN_CLASSES);
      if (input === null && output === null) expect(total).toBeNull();
      else expect(total).toBe((input ?? 0) + (output ?? 0));
    }),
  );
});

test('unknown usage cannot be changed by whoever starts from it', () => {
  expect(Object.isFrozen(UNKNOWN_USAGE)).toBe(true);
});
