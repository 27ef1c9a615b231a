import { expect, test } from 'vitest';
import { serviceTierOf } from '../../../services/pricing/service-tier.ts';

test.each([
  [null, 'standard'],
  ['default', 'standard'],
  ['standard', 'standard'],
  ['auto', 'standard'],
  ['on_demand', 'standard'],
  ['ON_DEMAND', 'standard'],
  ['priority', 'priority'],
  ['ON_DEMAND_PRIORITY', 'priority'],
  ['flex', 'flex'],
  ['ON_DEMAND_FLEX', 'flex'],
  ['batch', 'batch'],
])('the recorded name %s is the tier %s', (name, tier) => {
  expect(serviceTierOf(name, false)).toBe(tier);
});

test.each(['scale', 'PROVISIONED_THROUGHPUT', 'reserved', 'fast', '', 'constructor'])('%j has no known price', (name) => {
  expect(serviceTierOf(name, false)).toBeNull();
});

test('a batch is a tier of its own and goes with no other', () => {
  expect(serviceTierOf(null, true)).toBe('batch');
  expect(serviceTierOf('default', true)).toBe('batch');
  expect(serviceTierOf('batch', true)).toBe('batch');
  expect(serviceTierOf('priority', true)).toBeNull();
  expect(serviceTierOf('scale', true)).toBeNull();
});
