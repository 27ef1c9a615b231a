import { mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { Type } from 'typebox';
import { expect, test } from 'vitest';
import type { ProcessIdentity } from '../../services/runtime/process-identity.ts';
import { identifyProcess, processEnded } from '../../services/runtime/process-identity.ts';
import { refusalExitCode } from '../../services/runtime/start-refusal.ts';
import { runningPostgres } from '../harness/end-home.ts';
import { eventually } from '../harness/eventually.ts';
import type { Product } from '../harness/product.ts';
import { launchProduct, startProduct } from '../harness/product.ts';
import { createTemporaryHome } from '../harness/temporary-home.ts';

const children = ['simulator', 'ledger', 'proxy', 'api'] as const;
/** How long a process that has to end may take. */
const endMs = 20_000;
const Requests = Type.Object({
  requests: Type.Object({ nodes: Type.Array(Type.Object({ id: Type.String(), outcome: Type.String(), stream: Type.Boolean() })) }),
});

async function homeForTest() {
  const home = await createTemporaryHome();
  return { path: home.path, [Symbol.asyncDispose]: home.remove };
}

test('the printed curl works as pasted, SIGTERM stops everything with 0, and the next start has every request and the same keys', async () => {
  await using home = await homeForTest();
  await using first = await startProduct({ home: home.path });
  expect((await stat(join(home.path, 'endpoints.json'))).mode & 0o777).toBe(0o600);
  const answer = await pasted(first.launched.output());
  expect(answer.status).toBe(200);
  const id = answer.headers.get('x-request-id') ?? '';
  await eventually(async () => (await booked(first)).some((request) => request.id === id));

  const processes = await processesOf(first);
  expect(processes).toHaveLength(children.length + 2);
  expect(await first.stop()).toBe(0);
  for (const one of processes) expect(await processEnded(one, endMs), one.command).toBe(true);

  await using second = await startWithin(home.path, 10_000);
  expect(second.endpoints).toMatchObject({ adminKey: first.endpoints.adminKey, demoKey: first.endpoints.demoKey });
  expect((await booked(second)).map((request) => request.id)).toEqual([id]);
});

test('a second start on the same home is refused and says that one runs, and the one that runs is not disturbed', async () => {
  await using home = await homeForTest();
  await using first = await startProduct({ home: home.path });
  const second = launchProduct({ home: home.path });
  expect(await second.exited).toBe(refusalExitCode);
  expect(second.output()).toContain(`turnpike already runs on ${home.path}`);
  expect(second.output()).toContain(first.endpoints.proxyUrl);
  expect((await chat(first, 'sim/echo')).status).toBe(200);
});

test('when the supervisor is killed its children end, and the next start takes over PostgreSQL and has every request', async () => {
  await using home = await homeForTest();
  await using first = await startProduct({ home: home.path });
  const id = (await chat(first, 'sim/echo')).headers.get('x-request-id') ?? '';
  const processes = await processesOf(first);
  first.launched.signal('SIGKILL');
  expect(await first.launched.exited).toBe('SIGKILL');

  await using second = await startProduct({ home: home.path });
  expect(second.launched.output()).toContain('taking over the PostgreSQL left behind');
  for (const one of processes.filter(({ command }) => command !== 'postgres'))
    expect(await processEnded(one, endMs), one.command).toBe(true);
  await eventually(async () => (await booked(second)).some((request) => request.id === id));
  expect(await second.stop()).toBe(0);
  for (const one of processes) expect(await processEnded(one, endMs), one.command).toBe(true);
});

test('a port in use is refused at once, and the message names the variable', async () => {
  await using home = await homeForTest();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  try {
    for (const variable of ['TURNPIKE_PROXY_PORT', 'TURNPIKE_API_PORT', 'TURNPIKE_SIM_PORT']) {
      const launched = launchProduct({ home: home.path, environment: { [variable]: port } });
      expect(await launched.exited).toBe(refusalExitCode);
      expect(launched.output()).toContain(`127.0.0.1:${port} is in use`);
      expect(launched.output()).toContain(variable);
    }
  } finally {
    taken.close();
  }
});

test('mistakes in the configuration are refused with file, line, field and what was expected, all of them at once', async () => {
  await using home = await homeForTest();
  const file = join(dirname(home.path), 'configuration', 'mistakes.yaml');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(
    file,
    `apiVersion: turnpike/v1
kind: Provider
metadata: { name: somewhere }
spec:
  protocol: openai
  baseURL: https://example.com/v1
---
apiVersion: turnpike/v1
kind: Model
metadata: { name: somewhere/large }
spec:
  contextWindow: many
`,
  );
  const launched = launchProduct({ home: home.path, environment: { TURNPIKE_CONFIG: file } });
  expect(await launched.exited).toBe(refusalExitCode);
  const said = launched.output();
  expect(said).toMatch(/mistakes\.yaml:6: spec\.baseURL: unknown field; expected .*baseUrl/);
  expect(said).toMatch(/mistakes\.yaml:\d+: spec\.baseUrl: missing; expected an http\(s\) URL/);
  expect(said).toMatch(/mistakes\.yaml:12: spec\.contextWindow: expected a number of tokens/);
  expect(said).not.toMatch(/^\s+at /m);
});

test('a stream that runs when Ctrl-C comes is finished and settled before the end', async () => {
  await using home = await homeForTest();
  await using first = await startProduct({ home: home.path });
  const answer = await chat(first, 'sim/slow', true);
  const id = answer.headers.get('x-request-id') ?? '';
  expect(answer.status).toBe(200);
  first.launched.signal('SIGINT');
  // 60 tokens at 50 ms each: it goes on long after the signal.
  const text = await answer.text();
  expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
  expect(await first.launched.exited).toBe(0);

  await using second = await startProduct({ home: home.path });
  const found = await eventually(async () => (await booked(second)).find((request) => request.id === id));
  expect(found).toMatchObject({ outcome: 'SUCCEEDED', stream: true });
});

test('a child that dies is started again at its address and the start says why; the third death within a minute stops everything', async () => {
  await using product = await startProduct();
  for (let death = 1; death <= 2; death++) {
    const pid = await product.kill('api', 'SIGKILL');
    await eventually(async () => (await product.pidOf('api')) !== pid);
    await eventually(async () => (await booked(product)).length === 0);
    expect(product.launched.output()).toContain('api ended (signal SIGKILL)');
  }
  await product.kill('api', 'SIGKILL');
  const exit = await product.launched.exited;
  expect(exit).not.toBe(0);
  expect(typeof exit).toBe('number');
  expect(product.launched.output()).toContain('third time within a minute');
  expect(await runningPostgres(product.home)).toBeNull();
});

/** Starts it on a home that has been served from; where that takes longer, once more: the machine may have stood still. */
async function startWithin(home: string, boundMs: number): Promise<Product> {
  for (let turn = 1; ; turn++) {
    const startedMs = performance.now();
    const product = await startProduct({ home });
    const tookMs = performance.now() - startedMs;
    if (tookMs < boundMs) return product;
    await product.stop();
    if (turn === 3) throw new Error(`the start took ${Math.round(tookMs)} ms, and as long before`);
  }
}

/** Sends what the greeting prints as a curl command, word for word. */
function pasted(output: string): Promise<Response> {
  const line = output.split('\n').find((one) => one.startsWith('curl ')) ?? '';
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
  const url = words[1] ?? '';
  const headers = words.flatMap((word, index) => (words[index - 1] === '-H' ? [word.split(/: /, 2)] : []));
  const body = words[words.indexOf('-d') + 1] ?? '';
  return fetch(url, { method: 'POST', headers: Object.fromEntries(headers), body });
}

function chat({ endpoints }: Product, model: string, stream = false): Promise<Response> {
  return fetch(`${endpoints.proxyUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${endpoints.demoKey}` },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello there' }], stream }),
    signal: AbortSignal.timeout(20_000),
  });
}

async function booked(product: Product) {
  const answer = await product.graphql(Requests, '{ requests(first: 50) { nodes { id outcome stream } } }');
  return answer.requests.nodes;
}

/** Supervisor, children and PostgreSQL. */
async function processesOf(product: Product): Promise<readonly ProcessIdentity[]> {
  const pids = [product.launched.pid, ...(await Promise.all(children.map((child) => product.pidOf(child))))];
  const found = [...(await Promise.all(pids.map((pid) => identifyProcess(pid)))), await runningPostgres(product.home)];
  return found.filter((one) => one !== null);
}
