import { platform } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { answerJson, startScriptedUpstream } from '../../harness/scripted-upstream.ts';
import type { BenchProcess } from '../bench-process.ts';
import { createMeter, startLoadGenerator } from '../measure.ts';
import { readTreeUsage } from '../process-usage.ts';
import { startBarePassthrough, startUpstream } from './local-targets.ts';
import type { PeerSettings } from './peer.ts';
import { connectPeer } from './peer.ts';
import type { Target } from './target.ts';

const body = JSON.stringify({ model: 'bench/echo', messages: [{ role: 'user', content: 'Hello.' }] });
const load = { connections: 2, durationMs: 500, ratePerSecond: null };
let upstream: Target;
let generator: BenchProcess;
let words: Record<string, unknown>;

beforeAll(async () => {
  upstream = await startUpstream(body, 0);
  generator = await startLoadGenerator();
  words = JSON.parse(upstream.expected.expectedBody ?? '');
});
afterAll(async () => {
  await upstream.stop();
  await generator.stop();
});

const settings = (url: string, more: Partial<PeerSettings> = {}): PeerSettings => ({
  url: new URL(url),
  name: 'other',
  model: 'vendor/echo',
  key: null,
  pid: null,
  upstreamPort: 0,
  waitMs: 10_000,
  ...more,
});
const silent = (): void => {};

test('a pass-through is put under the load of the others, to the byte, and its CPU is counted where its process is known', async () => {
  const bare = await startBarePassthrough(upstream);
  try {
    // The test's own process stands for one with descendants: the benchmark's helpers are its children.
    const pid = platform() === 'linux' ? process.pid : null;
    const peer = await connectPeer(settings(`${bare.request.origin}/v1/`, { pid }), upstream, silent);
    expect(peer.differences).toEqual([]);
    expect(peer.expected).toEqual(upstream.expected);
    const found = await createMeter(generator)(peer, load);
    expect(found.problems).toEqual([]);
    expect(found.requests).toBeGreaterThan(0);
    if (pid === null) expect(found.cpuUsPerRequest).toBeNull();
    else expect(found.cpuUsPerRequest).not.toBeNull();
  } finally {
    await bare.stop();
  }
});

test('it is waited for until it says the words of the upstream, asked for its own model under its own key', async () => {
  await using other = await startScriptedUpstream((response) => answerJson(response, { error: 'sk-peer is unknown' }, 401));
  const told: string[] = [];
  const connecting = connectPeer(settings(other.baseUrl, { key: 'sk-peer' }), upstream, (line) => {
    told.push(line);
    other.script =
      told.length === 1
        ? (response) => answerJson(response, { ...words, choices: [{ message: { content: 'Something of its own.' } }] })
        : (response) => answerJson(response, words);
  });
  await connecting;
  expect(told).toEqual([
    'waiting for other: it answers with status 401',
    "waiting for other: it answers with something else than the upstream's words; is it pointed there?",
  ]);
  const [first] = other.requests;
  expect(first?.path).toBe('/v1/chat/completions');
  expect(first?.headers.authorization).toBe('Bearer sk-peer');
  expect(JSON.parse(first?.body ?? '')).toEqual({ ...JSON.parse(body), model: 'vendor/echo' });
});

test('one that never does is given up with the reason', async () => {
  await using other = await startScriptedUpstream((response) => answerJson(response, {}, 404));
  await expect(connectPeer(settings(other.baseUrl, { waitMs: 1 }), upstream, silent)).rejects.toThrow(
    `other at ${new URL(other.baseUrl).origin}/v1/chat/completions is not ready: it answers with status 404`,
  );
});

/** Answers in its own words all round the provider's, a new id each time, until it is told to say something else. */
function rewriting(response: Parameters<ScriptedUpstream['script']>[0], content?: string): void {
  const { service_tier: _gone, ...kept } = words;
  const text = JSON.stringify({ ...kept, id: `own-${Math.random()}`, provider: 'vendor' }, null, 1);
  const answer = content === undefined ? text : text.replace(/"content": "[^"]*"/, `"content": "${content}"`);
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(answer);
}

test('one that writes answers anew is held to the words of each, and told what it rewrites', async () => {
  await using other = await startScriptedUpstream((response) => rewriting(response));
  const peer = await connectPeer(settings(other.baseUrl), upstream, silent);
  expect(peer.differences).toEqual(['it writes the answer anew: changes id, adds provider, leaves out service_tier']);
  const measure = createMeter(generator);
  const good = await measure(peer, load);
  expect([good.problems, good.cpuUsPerRequest]).toEqual([[], null]);
  let answers = 0;
  other.script = (response) => {
    answers += 1;
    rewriting(response, answers === 1 ? 'All that is gold' : undefined);
  };
  const bad = await measure(peer, load);
  expect(bad.problems).toEqual([
    `other: 1 of ${bad.requests} answers not as expected: another body (${bad.firstUnexpected?.match(/\d+/)?.[0]} bytes)`,
  ]);
});

test.runIf(platform() === 'linux')('what a process used includes its descendants', async () => {
  const [whole, helper] = [await readTreeUsage(process.pid), await readTreeUsage(generator.pid)];
  expect(helper.residentBytes).toBeGreaterThan(10_000_000);
  expect(whole.residentBytes).toBeGreaterThan(helper.residentBytes);
  expect(whole.cpuUs).toBeGreaterThanOrEqual(helper.cpuUs);
  await expect(readTreeUsage(4_194_303)).rejects.toThrow('there is no process 4194303');
});
