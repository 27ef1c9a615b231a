import { expect, test } from 'vitest';
import { notCarriedWarning } from '../../../../services/proxy/answer/warnings.ts';

test('what was not carried is told by name', () => {
  expect(notCarriedWarning(['seed', 'logit_bias'])).toBe('not_carried; fields=seed,logit_bias');
});

test('names that a header does not take, and those beyond its bound, are counted', () => {
  expect(notCarriedWarning(['seed', 'a\r\nb', 'ö', 'x'.repeat(65)])).toBe('not_carried; fields=seed; others=3');
  expect(notCarriedWarning(['', 'ö'])).toBe('not_carried; others=2');
  const many = Array.from({ length: 2_000 }, (_, index) => `field_${index}`);
  const warning = notCarriedWarning(many);
  expect(warning.length).toBeLessThan(600);
  expect(warning).toMatch(/others=19\d\d$/);
});
