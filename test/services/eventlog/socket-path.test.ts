import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeSocketDirectory, socketPath } from '../../../services/eventlog/socket-path.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

test('a socket lies in the home`s run folder when the path is short enough', () => {
  expect(socketPath('/srv/turnpike', 'log.sock')).toBe('/srv/turnpike/run/log.sock');
});

test('a long home gives a short path, the same each time and another for another home', () => {
  const home = `/srv/${'long name/'.repeat(20)}`;
  expect(Buffer.byteLength(socketPath(home, 'log.sock'))).toBeLessThanOrEqual(103);
  expect(socketPath(home, 'log.sock')).toBe(socketPath(`${home}/./`, 'log.sock'));
  expect(socketPath(home, 'log.sock')).not.toBe(socketPath(`${home}x`, 'log.sock'));
});

test('bytes count, not characters', () => {
  expect(socketPath(`/srv/${'ü'.repeat(45)}`, 'log.sock')).not.toContain('ü');
});

test('its folder is made for the owner only', async () => {
  const folder = join(await temporaryFolder(), 'run');
  await makeSocketDirectory(join(folder, 'log.sock'));
  await makeSocketDirectory(join(folder, 'log.sock'));
});
