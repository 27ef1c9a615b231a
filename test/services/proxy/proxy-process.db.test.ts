import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, lstat, readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { createApiKey, revokeApiKey } from '../../../services/registry/api-keys.ts';
import type { Change } from '../../../services/registry/change.ts';
import { applyProviders } from '../../../services/registry/configuration/apply-providers.ts';
import { parseProcessMessage } from '../../../services/runtime/process-messages.ts';
import { deriveSecrets } from '../../../services/runtime/secrets.ts';
import { eventually } from '../../harness/eventually.ts';
import { inheritedVariables } from '../../harness/inherited-variables.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf, makeOrganization } from '../../harness/registry.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { answerJson, completion, startScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { mountSmallDisk, unmountBelow } from '../../harness/small-disk.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

const main = fileURLToPath(new URL('../../../services/proxy/main.ts', import.meta.url));
const masterKey = Buffer.alloc(32, 9);
const children = new Set<ChildProcess>();
let database: TestDatabase;
let upstream: ScriptedUpstream;
let home: string;
let secret: string;
/** Another key of the same organization, and how to revoke it. */
let makeKey: () => Promise<{ readonly secret: string; readonly revoke: () => Promise<unknown> }>;

beforeEach(async () => {
  database = await createTestDatabase();
  upstream = await startScriptedUpstream();
  home = await temporaryFolder();
  const organizationId = await makeOrganization(database.writer.db, 'acme');
  const change = <Result>(write: (change: Change) => Promise<Result>) => changeOf(database.writer.db, organizationId, write);
  await change((each) =>
    applyProviders(each, {
      owner: 'file',
      providers: [{ name: 'acme', protocol: 'openai', baseUrl: upstream.baseUrl, credential: null, options: {} }],
      models: [{ name: 'acme/fast', upstreamModel: 'fast', contextWindow: null, maxOutputTokens: null, price: null }],
      keys: [],
    }),
  );
  makeKey = async () => {
    const { key, secret } = await change((each) =>
      createApiKey(
        each,
        {
          name: 'application',
          kind: 'ak',
          environment: 'test',
          teamId: null,
          allowedModels: ['acme/*'],
          tags: {},
          metadata: {},
          permissions: [],
          expiresAt: null,
        },
        deriveSecrets(masterKey),
      ),
    );
    return { secret, revoke: () => change((each) => revokeApiKey(each, { id: key.id, reason: 'test' })) };
  };
  ({ secret } = await makeKey());
});
afterEach(async () => {
  for (const child of children) await end(child, 'SIGKILL');
  await upstream[Symbol.asyncDispose]();
  await database.drop();
});

type Running = { readonly child: ChildProcess; readonly url: string };

async function startProxyProcess(databaseUrl = database.url, folder = home): Promise<Running> {
  const child = fork(main, {
    env: {
      ...inheritedVariables(),
      TURNPIKE_HOME: folder,
      TURNPIKE_PROXY_PORT: '0',
      TURNPIKE_MASTER_KEY: masterKey.toString('base64'),
      DATABASE_URL: databaseUrl,
      TURNPIKE_EVENT_LOG: 'embedded',
      TURNPIKE_LOG_LEVEL: 'error',
    },
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.add(child);
  const [message] = await once(child, 'message', { signal: AbortSignal.timeout(60_000) });
  const parsed = parseProcessMessage(message);
  if (parsed?.kind !== 'ready') throw new Error(`the proxy did not start: ${JSON.stringify(message)}`);
  return { child, url: parsed.addresses.http ?? '' };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  children.delete(child);
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  return child.exitCode;
}

const chat = (proxy: Running, key = secret, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${proxy.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
    body: JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: 'hello' }] }),
  });

async function metric(proxy: Running, name: string): Promise<number | null> {
  const line = (await (await fetch(`${proxy.url}/metrics`)).text())
    .split('\n')
    .find((candidate) => candidate.startsWith(`turnpike_${name}`));
  return line === undefined ? null : Number(line.slice(line.lastIndexOf(' ')));
}

test('a proxy killed in the middle of a call books it as orphaned at its next start, loses nothing that was settled and repeats no call by its key', async () => {
  const first = await startProxyProcess();
  // There is no event log: what is settled waits in the spool.
  expect((await chat(first)).status).toBe(200);
  let open: ServerResponse | null = null;
  upstream.script = (response) => {
    open = response;
  };
  const keyed = { 'idempotency-key': 'of the lost one' };
  const lost = chat(first, secret, keyed).then(
    () => 'answered',
    () => 'lost',
  );
  await eventually(() => open);
  await end(first.child, 'SIGKILL');
  expect(await lost).toBe('lost');

  upstream.script = (response) => answerJson(response, completion());
  const second = await startProxyProcess();
  expect(await metric(second, 'proxy_requests_total{outcome="orphaned"')).toBe(1);
  expect(await metric(second, 'spool_open')).toBe(0);
  expect(await metric(second, 'spool_unsent')).toBe(2);
  expect((await chat(second)).status).toBe(200);
  expect(await end(second.child, 'SIGKILL')).toBeNull();
  const third = await startProxyProcess();
  expect(await metric(third, 'spool_unsent')).toBe(3);
  expect(await metric(third, 'proxy_requests_total{outcome="orphaned"')).toBeNull();
  const calls = upstream.requests.length;
  // As soon as the database knows that the boot that made the call is over.
  await eventually(async () => {
    const answer = await chat(third, secret, keyed);
    expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([409, 'false']);
    return ((await answer.json()) as { error: { code: string } }).error.code === 'idempotency_outcome_unknown';
  });
  expect(upstream.requests).toHaveLength(calls);
});

test('SIGTERM lets the request in flight finish, settles it and ends with 0', async () => {
  const proxy = await startProxyProcess();
  let open: ServerResponse | null = null;
  upstream.script = (response) => {
    open = response;
  };
  const call = chat(proxy);
  const upstreamResponse = await eventually(() => open);
  const ended = end(proxy.child, 'SIGTERM');
  await eventually(async () => (await fetch(`${proxy.url}/healthz`).catch(() => null)) === null);
  answerJson(upstreamResponse, completion());
  const response = await call;
  expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
  expect(await ended).toBe(0);
});

test('a key revoked in the registry is refused within a second', async () => {
  const keys = [await makeKey(), await makeKey(), await makeKey()];
  const proxy = await startProxyProcess();
  const refusedAfterMs: number[] = [];
  for (const { secret: key, revoke } of keys) {
    expect((await chat(proxy, key)).status).toBe(200);
    await revoke();
    const revokedAtMs = performance.now();
    const response = await eventually(async () => {
      const answer = await chat(proxy, key);
      return answer.status === 401 ? answer : null;
    });
    refusedAfterMs.push(performance.now() - revokedAtMs);
    expect(await response.json()).toMatchObject({ error: { code: 'key_revoked' } });
  }
  // The quickest: where the machine is busy with other tests, the others tell of them.
  expect(Math.min(...refusedAfterMs)).toBeLessThan(1_000);
});

test('a proxy without its database starts from what it kept', async () => {
  const first = await startProxyProcess();
  expect((await chat(first)).status).toBe(200);
  await end(first.child, 'SIGTERM');
  const second = await startProxyProcess(database.url.replace(/\/[^/?]*(\?|$)/, '/no_such_database$1'));
  expect((await chat(second)).status).toBe(200);
});

test('on a full disk requests are refused before any provider is called, and served again as soon as there is room', async ({ skip }) => {
  const disk = await mountSmallDisk(join(home, 'proxy'), 4);
  if ('blocked' in disk) return skip(disk.blocked);
  onTestFinished(() => unmountBelow(home));
  const proxy = await startProxyProcess();
  const called = async (): Promise<number> => {
    const response = await chat(proxy);
    await response.arrayBuffer();
    return response.status;
  };
  expect(await called()).toBe(200);
  await disk.fill();
  // What finds the disk full is already under way, and waits for room; everything after it is refused.
  const underWay = called();
  await eventually(async () => (await metric(proxy, 'spool_writable')) === 0);
  const before = upstream.requests.length;
  const refused = await chat(proxy);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toMatch(/^[1-9]/);
  expect(await refused.json()).toMatchObject({ error: { code: 'accounting_unavailable' } });
  expect(upstream.requests).toHaveLength(before);
  await disk.empty();
  expect(await underWay).toBe(200);
  await eventually(async () => (await called()) === 200);
  expect(await metric(proxy, 'spool_writable')).toBe(1);
  expect(await end(proxy.child, 'SIGTERM')).toBe(0);
});

test('of a proxy and its copy on another machine one keeps the name, and the other is a new proxy from its next start on', async () => {
  const original = await startProxyProcess();
  const nodes = async () => {
    const rows = await database.writer.db.selectFrom('lease_nodes').select(['id', 'epoch']).orderBy('epoch').execute();
    return rows.map(({ id, epoch }) => [idFromUuid('node', id), Number(epoch)]);
  };
  const nameIn = async (folder: string): Promise<string> => (await readFile(join(folder, 'proxy', 'node'), 'utf8')).trim();
  const name = await nameIn(home);
  await eventually(async () => (await nodes()).length === 1, 30_000);
  const copied = await temporaryFolder();
  const isNoSocket = async (path: string): Promise<boolean> => !(await lstat(path)).isSocket();
  for (const part of ['node', 'spool'])
    await cp(join(home, 'proxy', part), join(copied, 'proxy', part), { recursive: true, filter: isNoSocket });
  // The lock is of one machine: nobody answers on another.
  await writeFile(join(copied, 'proxy', 'spool', 'epoch-1'), join(copied, 'nobody.lock'));

  const ended = once(original.child, 'exit', { signal: AbortSignal.timeout(30_000) });
  await startProxyProcess(database.url, copied);
  expect((await ended)[0]).not.toBe(0);
  await startProxyProcess();
  await eventually(async () => (await nodes()).length === 2, 30_000);
  expect(await nameIn(copied)).toBe(name);
  expect(await readFile(join(home, 'proxy', 'node.given-up'), 'utf8')).toBe(`${name}\n`);
  expect(new Set((await nodes()).map(([id]) => id))).toEqual(new Set([name, await nameIn(home)]));
});
