import { expect, test } from 'vitest';
import { armFailpoints } from '../../../../services/runtime/failpoints/failpoints.ts';
import { recordingLog } from '../../../harness/recording-log.ts';

test('with none armed there is nothing to decorate a seam with, and nothing is said', () => {
  const log = recordingLog();
  expect(armFailpoints([], log)).toBeNull();
  expect(log.lines).toEqual([]);
});

test('an error comes at its passage and only then, and that there is one is said loudly at the start', () => {
  const log = recordingLog();
  const pass = armFailpoints([{ name: 'proxy.spool.sync', action: { kind: 'error', code: 'EIO' }, passage: 2 }], log);
  expect(log.lines.join()).toContain('FAILPOINTS ARE ARMED');
  const passed = [1, 2, 3, 4].map(() => {
    try {
      pass?.('proxy.spool.sync');
      pass?.('proxy.spool.synced');
      return 'passed';
    } catch (error) {
      return error instanceof Error && 'code' in error ? error.code : error;
    }
  });
  expect(passed).toEqual(['passed', 'EIO', 'passed', 'passed']);
});
