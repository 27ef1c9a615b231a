import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('secrets are redacted wherever headers and options are logged', () => {
  const source = `
    import { createLog } from ${JSON.stringify(new URL('../../../services/runtime/log.ts', import.meta.url).href)};
    const log = createLog({ name: 'test', level: 'info' });
    const headers = { authorization: 'hunter2', 'x-api-key': 'hunter2', cookie: 'hunter2' };
    log.info({ headers, req: { headers }, upstream: { headers }, options: { password: 'hunter2' }, databaseUrl: 'hunter2', kept: 'plain' }, 'hello');
    log.debug('not at this level');`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', source], { encoding: 'utf8' });
  expect(stdout.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(stdout)).toMatchObject({
    level: 'info',
    name: 'test',
    msg: 'hello',
    kept: 'plain',
    headers: { authorization: '[redacted]' },
  });
  expect(stdout).not.toContain('hunter2');
});
