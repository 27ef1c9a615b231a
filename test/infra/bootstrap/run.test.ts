import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../harness/eventually.ts';

/** A project with our bootstrap, an npm that only pretends, and a product that writes down what happens to it. */
let project: string;
let started: ChildProcess[];

/** Pretends to install: counts itself in `installs`, takes a moment, or as long as it is held, leaves what npm leaves; or fails as told. */
const npm = `
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
appendFileSync('installs', process.argv.slice(2).join(' ') + '\\n');
if (existsSync('offline')) { console.error('npm error code ENOTFOUND'); process.exit(1); }
await new Promise((resolve) => setTimeout(resolve, existsSync('slow') ? 60_000 : 300));
while (existsSync('held')) await new Promise((resolve) => setTimeout(resolve, 20));
mkdirSync('node_modules', { recursive: true });
writeFileSync('node_modules/.package-lock.json', '{"packages":{}}');
`;

const product = `
import { appendFileSync } from 'node:fs';
const note = (text: string): void => appendFileSync('story', text + '\\n');
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => note(signal));
process.on('disconnect', () => { note('alone'); process.exit(0); });
note('up ' + process.pid + ' ' + process.argv.slice(2).join(' '));
process.on('SIGUSR2', () => process.exit(7));
setInterval(() => {}, 1_000);
`;

beforeEach(() => {
  started = [];
  project = mkdtempSync(join(tmpdir(), 'turnpike run-'));
  cpSync(fileURLToPath(new URL('../../../infra/bootstrap', import.meta.url)), join(project, 'infra/bootstrap'), { recursive: true });
  mkdirSync(join(project, 'services/cli'), { recursive: true });
  write('package.json', '{"type":"module"}');
  write('package-lock.json', '{"packages":{}}');
  write('npm-cli.js', npm);
  write('services/cli/main.ts', product);
});

afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  for (const pid of pidsUp()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended by itself, as it should.
    }
  }
  rmSync(project, { recursive: true, force: true, maxRetries: 5 });
});

function write(file: string, text: string): void {
  writeFileSync(join(project, file), text);
}

/** Whole lines: a file is there before anything is in it, and what has no line break yet is still being written. */
function lines(file: string): string[] {
  return existsSync(join(project, file)) ? readFileSync(join(project, file), 'utf8').split('\n').slice(0, -1) : [];
}

function pidsUp(): number[] {
  return lines('story').flatMap((line) => (line.startsWith('up ') ? [Number(line.split(' ')[1])] : []));
}

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | NodeJS.Signals | null>;
}

function run(...args: string[]): Run {
  const child = spawn(process.execPath, ['infra/bootstrap/run.mjs', ...args], {
    cwd: project,
    // The folder is of this test alone: what Node kept of its modules would stay behind.
    env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1', npm_execpath: join(project, 'npm-cli.js') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let output = '';
  child.stdout.on('data', (part: Buffer) => {
    output += part.toString();
  });
  child.stderr.on('data', (part: Buffer) => {
    output += part.toString();
  });
  const exit = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  return { child, output: () => output, exit };
}

async function runUntilUp(...args: string[]): Promise<Run & { readonly pid: number }> {
  const before = pidsUp().length;
  const running = run('start', ...args);
  const pids = await eventually(() => (pidsUp().length > before ? pidsUp() : null));
  return { ...running, pid: pids.at(-1) ?? 0 };
}

test('the first start installs and says so, the second does neither', async () => {
  const first = await runUntilUp('--flag', 'two words');
  expect(first.output()).toMatch(/installing the dependencies .*first start.*installed in \d+ s/s);
  expect(lines('installs')).toEqual([expect.stringMatching(/^ci .*--ignore-scripts/)]);
  expect(lines('story')[0]).toMatch(/ start --flag two words$/);
  process.kill(first.pid, 'SIGUSR2');
  await first.exit;

  const second = await runUntilUp();
  expect(second.output()).toBe('');
  expect(lines('installs')).toHaveLength(1);
});

test('two first starts at once install once', async () => {
  write('held', '');
  const both = [run('start'), run('start')];
  await eventually(() => both.some(({ output }) => output().includes('another process is installing')));
  rmSync(join(project, 'held'));
  await eventually(() => pidsUp().length === 2);
  expect(lines('installs')).toHaveLength(1);
});

test('a failed install says why, ends non-zero, starts nothing, and is tried again', async () => {
  write('offline', '');
  const failed = run('start');
  expect(await failed.exit).toBe(1);
  expect(failed.output()).toMatch(/cannot reach its registry/);
  expect(lines('story')).toEqual([]);
  rmSync(join(project, 'offline'));
  await runUntilUp();
  expect(lines('installs')).toHaveLength(2);
});

test('a start stopped during its install leaves no npm behind and no stamp', async () => {
  write('slow', '');
  const stopped = run('start');
  await eventually(() => lines('installs').length === 1);
  stopped.child.kill('SIGTERM');
  expect(await stopped.exit).toBe(1);
  expect(stopped.output()).toMatch(/was stopped/);
  rmSync(join(project, 'slow'));
  await runUntilUp();
  expect(lines('installs')).toHaveLength(2);
});

test('one Ctrl-C that arrives twice reaches the product once; a second press later reaches it too', async () => {
  const running = await runUntilUp();
  running.child.kill('SIGINT');
  running.child.kill('SIGINT');
  await eventually(() => lines('story').includes('SIGINT'));
  const pressedAt = Date.now();
  await eventually(() => Date.now() - pressedAt > 400);
  expect(lines('story').filter((line) => line === 'SIGINT')).toHaveLength(1);
  running.child.kill('SIGINT');
  await eventually(() => lines('story').filter((line) => line === 'SIGINT').length === 2);
});

test.each(['SIGTERM', 'SIGHUP'] as const)('%s is passed on', async (signal) => {
  const running = await runUntilUp();
  running.child.kill(signal);
  await eventually(() => lines('story').includes(signal));
});

test("the product's exit code is ours, and a signal that killed it is told as a shell tells it", async () => {
  const ended = await runUntilUp();
  process.kill(ended.pid, 'SIGUSR2');
  expect(await ended.exit).toBe(7);
  const killed = await runUntilUp();
  process.kill(killed.pid, 'SIGKILL');
  expect(await killed.exit).toBe(137);
});

test('the product is in a process group of its own, out of reach of the terminal', async () => {
  const { pid } = await runUntilUp();
  // Signal 0 to a group reaches it only if the group exists, that is, if the product leads one.
  expect(() => process.kill(-pid, 0)).not.toThrow();
});

test('a product whose bootstrap was killed learns of it', async () => {
  const running = await runUntilUp();
  running.child.kill('SIGKILL');
  await eventually(() => lines('story').includes('alone'));
});

test('an unknown verb names the known ones', async () => {
  const unknown = run('strat');
  expect(await unknown.exit).toBe(1);
  expect(unknown.output()).toMatch(/no verb "strat".*start, .*dev,/);
});
