import { expect, test } from 'vitest';
import { claudeModel } from '../../../../../services/proxy/providers/anthropic/claude-model.ts';

test.each([
  ['claude-3-opus-20240229', 'none', 'no', false, true, false],
  ['claude-3-5-sonnet-20240620', 'none', 'no', false, true, false],
  ['claude-3-7-sonnet-20250219', 'budget', 'no', false, true, false],
  ['claude-sonnet-4-20250514', 'budget', 'no', false, true, false],
  ['claude-opus-4-1', 'budget', 'no', false, true, true],
  ['claude-haiku-4-5@20251001', 'budget', 'no', false, true, true],
  ['us.anthropic.claude-opus-4-6-v1', 'either', 'no', false, true, true],
  ['claude-opus-4-7-20260416', 'adaptive', 'no', true, false, true],
  ['claude-sonnet-5', 'adaptive', 'unless_disabled', true, false, true],
  ['claude-fable-5-1', 'adaptive', 'always', true, false, true],
  ['deployment-of-ours', 'adaptive', 'unless_disabled', true, false, true],
] as const)('%s', (name, thinking, thinksUnasked, xhighEffort, sampling, schemas) => {
  expect(claudeModel(name)).toEqual({ thinking, thinksUnasked, xhighEffort, sampling, schemas });
});
