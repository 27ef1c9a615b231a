import { expect, test } from 'vitest';
import { copyOrder } from '../../../../services/cli/move/copy-order.ts';

test('a table comes after all that its rows refer to, itself apart', () => {
  const references = [
    { from: 'keys', to: 'teams' },
    { from: 'keys', to: 'keys' },
    { from: 'teams', to: 'organizations' },
    { from: 'keys', to: 'not moved' },
  ];
  expect(copyOrder(['keys', 'ledger', 'teams', 'organizations'], references)).toEqual(['ledger', 'organizations', 'teams', 'keys']);
});

test('a circle is told, with those in it', () => {
  const circle = [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'a' },
  ];
  expect(() => copyOrder(['a', 'b', 'c'], circle)).toThrow('a, b');
});
