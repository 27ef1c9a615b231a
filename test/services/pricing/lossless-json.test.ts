import { expect, test } from 'vitest';
import { parseLosslessJson } from '../../../services/pricing/lossless-json.ts';

test('every number keeps the digits it was written with', () => {
  expect(parseLosslessJson('{"a": 1.50e-07, "b": [0.1000000000000000055511151231257827, 12345678901234567890, -0]}')).toEqual({
    a: '1.50e-07',
    b: ['0.1000000000000000055511151231257827', '12345678901234567890', '-0'],
  });
});

test('everything else is as JSON has it', () => {
  expect(parseLosslessJson('[null, true, "1", {}]')).toEqual([null, true, '1', {}]);
  expect(() => parseLosslessJson('{')).toThrow(SyntaxError);
});
