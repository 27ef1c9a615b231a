import { type ChildProcess, spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseProcessMessage } from '../../../services/runtime/process-messages.ts';
import { eventually } from '../../harness/eventually.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

type Child = {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly messages: unknown[];
  readonly ended: Promise<unknown>;
};

const run = (mode: string, variables: NodeJS.ProcessEnv = {}): Child => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('boot-child.ts', import.meta.url)), mode], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...variables },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part) => {
      output += part;
    });
  }
  const messages: unknown[] = [];
  child.on('message', (message) => messages.push(parseProcessMessage(message)));
  return {
    child,
    output: () => output,
    messages,
    ended: exitOf(child),
  };
};
/** Not `close`, which never comes where it was we who closed the channel; but all output has been read. */
const exitOf = async (child: ChildProcess): Promise<unknown> => {
  const read = [child.stdout, child.stderr].map((stream) => new Promise((resolve) => stream?.once('close', resolve)));
  const outcome = await new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  await Promise.all(read);
  return outcome;
};
const started = (process: Child): Promise<unknown> => eventually(() => process.messages.length > 0);

test('a started process announces its addresses', async () => {
  const process = run('');
  await started(process);
  expect(process.messages).toEqual([{ kind: 'ready', addresses: { http: 'http://127.0.0.1:1' } }]);
  process.child.kill('SIGTERM');
  expect(await process.ended).toBe(0);
});

test('one that was ready and is killed leaves what it compiled for its next life', async () => {
  const folder = await temporaryFolder();
  const process = run('', { NODE_COMPILE_CACHE: folder });
  await started(process);
  process.child.kill('SIGKILL');
  expect(await process.ended).toBe('SIGKILL');
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(10);
});

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s, even when it arrives twice at once, stops in order once and exits with 0',
  async (signal) => {
    const process = run('');
    await started(process);
    process.child.kill(signal);
    process.child.kill(signal);
    expect(await process.ended).toBe(0);
    expect(process.output()).toContain('stop 1');
    expect(process.output()).not.toContain('stop 2');
  },
);

test('the end of the supervisor stops it in order', async () => {
  const process = run('');
  await started(process);
  process.child.disconnect();
  expect(await process.ended).toBe(0);
  expect(process.output()).toContain('stop 1');
});

test('a later second signal makes the stop hurry and exits non-zero', async () => {
  const process = run('slow');
  await started(process);
  const killer = setInterval(() => process.child.kill('SIGINT'), 300);
  expect(await process.ended).toBe(130);
  clearInterval(killer);
  expect(process.output()).toContain('hurry');
  expect(process.output()).not.toContain('stop 2');
});

test('a stop that takes longer than its deadline ends non-zero', async () => {
  const process = run('stuck');
  await started(process);
  process.child.kill('SIGTERM');
  expect(await process.ended).toBe(1);
  expect(process.output()).toContain('not stopped within 300 ms');
});

test('a stop asked for during the start is honored', async () => {
  const process = run('slow-start');
  await eventually(() => process.output().includes('starting'));
  process.child.kill('SIGTERM');
  expect(await process.ended).toBe(0);
  expect(process.messages).toEqual([]);
});

test('a refusal reaches the supervisor with its reason and ends with its own exit code', async () => {
  const process = run('refuse');
  expect(await process.ended).toBe(78);
  expect(process.messages).toEqual([{ kind: 'refused', reason: 'the moon is wrong' }]);
});

test.each([
  ['throw', 'thrown later'],
  ['reject', 'rejected later'],
  ['fail', 'epoch lost'],
])('an unhandled error (%s) is logged and exits non-zero', async (mode, message) => {
  const process = run(mode);
  expect(await process.ended).toBe(1);
  expect(process.output()).toContain(message);
  expect(process.output()).toContain('"level":"fatal"');
});
