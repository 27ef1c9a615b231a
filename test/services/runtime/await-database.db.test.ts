import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { awaitDatabase } from '../../../services/runtime/await-database.ts';
import { createLog } from '../../../services/runtime/log.ts';
import { parseProcessMessage } from '../../../services/runtime/process-messages.ts';
import { refusalExitCode } from '../../../services/runtime/start-refusal.ts';
import { eventually } from '../../harness/eventually.ts';
import { startFaultProxy } from '../../harness/fault-proxy.ts';
import { freePort } from '../../harness/free-port.ts';
import { inheritedVariables } from '../../harness/inherited-variables.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

const processes = [
  ['ledger', 'TURNPIKE_LEDGER_PORT'],
  ['api', 'TURNPIKE_API_PORT'],
] as const;
let database: TestDatabase;
let child: ChildProcess | null = null;
let output = '';

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  if (child !== null && child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
  await database.drop();
});

async function startProcess(name: string, variables: Record<string, string>): Promise<ChildProcess> {
  output = '';
  child = fork(fileURLToPath(new URL(`../../../services/${name}/main.ts`, import.meta.url)), {
    env: {
      ...inheritedVariables(),
      TURNPIKE_HOME: await temporaryFolder(),
      TURNPIKE_MASTER_KEY: Buffer.alloc(32, 5).toString('base64'),
      TURNPIKE_EVENT_LOG: 'embedded',
      TURNPIKE_LOG_LEVEL: 'warn',
      ...variables,
    },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      output += part;
    });
  }
  return child;
}

/** The test's database by way of a port of 127.0.0.1. */
function urlBy(port: number): string {
  const url = new URL(database.url);
  url.searchParams.delete('host');
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return url.href;
}

function startProxyTo(port: number) {
  const url = new URL(database.url);
  const folder = url.searchParams.get('host');
  return startFaultProxy(folder === null ? Number(url.port || 5_432) : `${folder}/.s.PGSQL.${url.port || 5_432}`, port);
}

test.each(processes)('%s, started before PostgreSQL, says what it waits for, and serves when PostgreSQL comes', async (name, variable) => {
  const [port, databasePort] = [await freePort(), await freePort()];
  const started = await startProcess(name, { [variable]: String(port), DATABASE_URL: urlBy(databasePort) });
  const ready = once(started, 'message');
  const waiting = await eventually(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    return answer?.status === 503 ? await answer.json() : null;
  }, 30_000);
  expect(waiting).toMatchObject({
    status: 'not_ready',
    reasons: [{ check: 'database', reason: `PostgreSQL does not answer: connect ECONNREFUSED 127.0.0.1:${databasePort}` }],
  });
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain(`{process="${name}"}`);

  const proxy = await startProxyTo(databasePort);
  try {
    const [message] = await ready;
    expect(parseProcessMessage(message)).toEqual({ kind: 'ready', addresses: { http: `http://127.0.0.1:${port}` } });
    await eventually(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200);
    // Said once, without a stack.
    const lines = output.split('\n').filter((line) => line.includes('waiting for PostgreSQL'));
    expect(lines).toHaveLength(1);
    await eventually(() => output.includes('PostgreSQL answers'));
    expect(output).not.toContain('    at ');
    const ended = once(started, 'exit');
    started.kill('SIGTERM');
    expect((await ended)[0]).toBe(0);
  } finally {
    await proxy.close();
  }
});

test('a proxy started before PostgreSQL, with nothing kept, says so and becomes ready when PostgreSQL comes', async () => {
  const [port, databasePort] = [await freePort(), await freePort()];
  const started = await startProcess('proxy', { TURNPIKE_PROXY_PORT: String(port), DATABASE_URL: urlBy(databasePort) });
  await once(started, 'message');
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ reasons: [{ check: 'snapshot', reason: 'no snapshot of the registry yet' }] });
  const proxy = await startProxyTo(databasePort);
  try {
    await eventually(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200);
  } finally {
    await proxy.close();
  }
});

test('a process that waits for PostgreSQL stops when it is told to, with 0', async () => {
  const port = await freePort();
  const started = await startProcess('ledger', { TURNPIKE_LEDGER_PORT: String(port), DATABASE_URL: urlBy(await freePort()) });
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.status === 503, 30_000);
  const ended = once(started, 'exit');
  started.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
});

test.each(processes)('%s: a database that PostgreSQL does not have is refused with what to check', async (name, variable) => {
  const wrong = new URL(database.url);
  wrong.pathname = '/no_such_database';
  const started = await startProcess(name, { [variable]: '0', DATABASE_URL: wrong.href });
  const ended = once(started, 'exit');
  const [message] = await once(started, 'message');
  expect(parseProcessMessage(message)).toEqual({
    kind: 'refused',
    reason: 'PostgreSQL refuses what DATABASE_URL says: database "no_such_database" does not exist. Check its user, password and database.',
  });
  expect((await ended)[0]).toBe(refusalExitCode);
});

test('what a process begins with is tried again when PostgreSQL goes away after its first answer', async () => {
  const listen = { variable: 'TURNPIKE_API_PORT', host: '127.0.0.1', port: await freePort() };
  const { signal } = new AbortController();
  let attempts = 0;
  const begin = async (): Promise<string> => {
    attempts += 1;
    if (attempts === 1) throw new Error('Connection terminated unexpectedly');
    return 'begun';
  };
  const options = { database: database.reader, process: 'api', listen, log: createLog({ name: 'api', level: 'silent' }), stopping: signal };
  await expect(awaitDatabase(options, begin)).resolves.toBe('begun');
  await expect(awaitDatabase(options, () => Promise.reject(new Error('a fault in the program')))).rejects.toThrow('a fault in the program');
});
