import { expect, test } from 'vitest';
import { table } from '../../../services/cli/table.ts';

test('a table is as wide as what stands in it', () => {
  expect(
    table(
      ['A', 'B'],
      [
        ['long', 'x'],
        ['', 'y'],
      ],
    ),
  ).toBe('A     B\nlong  x\n      y');
});
