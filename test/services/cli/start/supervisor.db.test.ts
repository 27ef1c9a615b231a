import { readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readEndpoints } from '../../../../services/cli/start/endpoints.ts';
import { eventually } from '../../../harness/eventually.ts';
import { createStartedHome } from './started-home.ts';

const timeout = 120_000;

test('a start ends in endpoints.json (0600) and a curl line, a SIGTERM in exit code 0 with no process left', { timeout }, async () => {
  await using home = await createStartedHome();
  const run = home.start();
  await run.ready();
  const endpoints = await readEndpoints(home.path);
  expect((await stat(join(home.path, 'endpoints.json'))).mode & 0o777).toBe(0o600);
  expect(endpoints?.proxyUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
  expect(endpoints?.graphqlWsUrl).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/graphql$/);
  expect(run.output()).toContain(`curl ${endpoints?.proxyUrl}/chat/completions -H 'authorization: Bearer ${endpoints?.demoKey}'`);
  expect(await home.proxyPid()).toBeGreaterThan(1);

  run.child.kill('SIGTERM');
  expect(await run.ended).toBe(0);
  expect(await home.processes()).toEqual([]);
  const stops = [...run.output().matchAll(/\[(\w+)\] \w+ stopped/g)].map((match) => match[1]);
  expect(stops.slice(0, 2)).toEqual(['proxy', 'api']);
  expect(stops.slice(2).sort()).toEqual(['ledger', 'simulator']);
});

test('a second start keeps the keys, and makes new ones when endpoints.json is lost', { timeout }, async () => {
  await using home = await createStartedHome();
  const keys: (string | undefined)[] = [];
  for (const loss of [false, false, true]) {
    if (loss) await rm(join(home.path, 'endpoints.json'));
    const run = home.start();
    await run.ready();
    keys.push((await readEndpoints(home.path))?.adminKey);
    run.child.kill('SIGINT');
    expect(await run.ended).toBe(0);
  }
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
});

test('a killed child comes back at the same address, with the reason told', { timeout }, async () => {
  await using home = await createStartedHome();
  const run = home.start();
  await run.ready();
  const before = await home.proxyPid();
  process.kill(before, 'SIGKILL');
  const after = await eventually(async () => {
    const pid = await home.proxyPid();
    return pid !== before && pid;
  });
  expect(after).toBeGreaterThan(1);
  expect(run.output()).toContain('proxy ended (signal SIGKILL); it starts again in 0.2 s');
  run.child.kill('SIGTERM');
  expect(await run.ended).toBe(0);
});

test('three deaths of one child within a minute stop everything, non-zero, with its last words', { timeout }, async () => {
  await using home = await createStartedHome();
  const run = home.start({ FAKE_MODES: '{"ledger":"die"}' });
  expect(await run.ended).toBe(1);
  expect(run.output()).toContain('that was the third time within a minute');
  expect(run.output()).toMatch(/turnpike: ledger ended \(code 1\): [^\n]*the fuel ran out; that was the third time/);
  expect(run.output()).not.toMatch(/^ {4}at /m);
  expect(await home.processes()).toEqual([]);
});

test('a child that refuses to start ends the start with its reason alone', { timeout }, async () => {
  await using home = await createStartedHome();
  const run = home.start({ FAKE_MODES: '{"api":"refuse"}' });
  expect(await run.ended).toBe(78);
  expect(run.output()).toContain('\napi does not want to\n');
  expect(run.output()).not.toContain('    at ');
  expect(await home.processes()).toEqual([]);
});

test('a second start on the same home says who runs and where, and leaves it alone', { timeout }, async () => {
  await using home = await createStartedHome();
  const first = home.start();
  await first.ready();
  const second = home.start();
  expect(await second.ended).toBe(78);
  expect(second.output()).toContain(`already runs on ${home.path} (process ${first.pid}, ${(await readEndpoints(home.path))?.proxyUrl})`);
  expect(await home.proxyPid()).toBeGreaterThan(1);
  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
});

test('after SIGKILL of the supervisor its children end, and the next start takes over the lock and PostgreSQL', { timeout }, async () => {
  await using home = await createStartedHome();
  const first = home.start({ FAKE_MODES: '{"proxy":"slow"}' });
  await first.ready();
  const orphan = await home.proxyPid();
  first.child.kill('SIGKILL');
  await first.ended;
  const second = home.start();
  await second.ready();
  expect(second.output()).toContain('taking over the PostgreSQL left behind');
  expect(await home.processes()).not.toContain(orphan);
  second.child.kill('SIGTERM');
  expect(await second.ended).toBe(0);
  expect(await home.processes()).toEqual([]);
});

test('a killed PostgreSQL comes back', { timeout }, async () => {
  await using home = await createStartedHome();
  const run = home.start();
  await run.ready();
  const pid = Number((await readFile(join(home.path, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
  process.kill(pid, 'SIGKILL');
  await eventually(() => run.output().includes('PostgreSQL is back'));
  run.child.kill('SIGTERM');
  expect(await run.ended).toBe(0);
  expect(await home.processes()).toEqual([]);
});

test('a port in use is told before anything starts, with the variable to set', { timeout }, async () => {
  await using home = await createStartedHome();
  const other = createServer().listen(0, '127.0.0.1');
  const port = await eventually(() => {
    const address = other.address();
    return typeof address === 'object' && address?.port;
  });
  const run = home.start({ TURNPIKE_API_PORT: String(port) });
  expect(await run.ended).toBe(78);
  other.close();
  expect(run.output()).toContain(`127.0.0.1:${port} is in use by another program. Set TURNPIKE_API_PORT`);
  expect(run.output()).not.toContain('creating the database');
});

test('a stop asked for during the start leaves nothing behind', { timeout }, async () => {
  await using home = await createStartedHome();
  const run = home.start();
  await eventually(() => run.output().includes('starting simulator'), 30_000);
  run.child.kill('SIGINT');
  expect(await run.ended).toBe(0);
  expect(await home.processes()).toEqual([]);
});

test('a second Ctrl-C hurries: children are killed, PostgreSQL still stops cleanly', { timeout }, async () => {
  await using home = await createStartedHome();
  // Stopped where it stands, the proxy can neither serve nor stop.
  const run = home.start();
  await run.ready();
  process.kill(await home.proxyPid(), 'SIGSTOP');
  run.child.kill('SIGINT');
  await eventually(() => run.output().includes('stopping;'));
  await eventually(() => {
    run.child.kill('SIGINT');
    return run.child.exitCode !== null;
  });
  expect(await run.ended).toBe(130);
  expect(await home.processes()).toEqual([]);
  expect(await readFile(join(home.path, 'log', 'postgres.log'), 'utf8')).toContain('database system is shut down');
});
