import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, cp, mkdir, open, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../../harness/eventually.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';
import { closed, eventOf, idsOf, opened, openTestSpool, settle } from './spool-harness.ts';

const writer = new URL('./spool-writer.ts', import.meta.url).pathname;

/** A process that settles requests until it is killed; `said` is what it was told by its spool. */
function startWriter(directory: string, durability: string): { readonly child: ChildProcess; readonly said: string[] } {
  const child = spawn(process.execPath, [writer, directory, durability], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said: string[] = [];
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
  return { child, said };
}

const named = (said: readonly string[], verb: string): string[] =>
  said.filter((line) => line.startsWith(`${verb} `)).map((line) => line.slice(verb.length + 1));

/** The folder as a later process finds it: without the lock that belongs to the first place. */
async function copyOf(directory: string): Promise<string> {
  const copy = join(await temporaryFolder(), 'spool');
  await mkdir(copy);
  await cp(directory, copy, { recursive: true, filter: (path) => !basename(path).startsWith('epoch-') && basename(path) !== 'run' });
  return copy;
}

async function segmentsOf(directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.segment')).sort();
  return names.map((name) => join(directory, name));
}

test.each(['group', 'strict'])(
  'kill -9 (%s): whatever onWritten reported is found again, boot after boot',
  { timeout: 60_000 },
  async (durability) => {
    const directory = await temporaryFolder();
    const opens = new Set<string>();
    const closes = new Set<string>();
    for (let boot = 1; boot <= 4; boot++) {
      const { child, said } = startWriter(directory, durability);
      await eventually(() => named(said, 'close').length > 150 * boot);
      child.kill('SIGKILL');
      await once(child, 'close');
      const lastLine = named(said, 'ready');
      expect(lastLine).toEqual([String(boot)]);
      for (const id of named(said, 'open')) opens.add(id);
      for (const id of named(said, 'close')) closes.add(id);
    }
    const { spool, producer } = await openTestSpool({ directory });
    await eventually(() => spool.state().unsent === 0);
    const sent = idsOf(producer.accepted);
    const orphans = new Set(spool.orphans.map(({ requestId }) => requestId));
    expect(new Set(sent).size).toBe(sent.length);
    expect([...closes].filter((id) => !sent.includes(id))).toEqual([]);
    expect([...opens].filter((id) => !orphans.has(id) && !sent.includes(id))).toEqual([]);
    expect(sent.filter((id) => orphans.has(id ?? ''))).toEqual([]);
  },
);

test('a folder whose owner was killed is free at once, and one whose owner is stopped is not', { timeout: 30_000 }, async () => {
  const directory = await temporaryFolder();
  const { child, said } = startWriter(directory, 'group');
  await eventually(() => named(said, 'close').length > 10);
  child.kill('SIGSTOP');
  await expect(openTestSpool({ directory })).rejects.toThrow(/Another process uses/);
  child.kill('SIGKILL');
  await once(child, 'close');
  const { spool } = await openTestSpool({ directory });
  expect(spool.state().epoch).toBe(2);
});

test('a tail torn at any byte costs the torn record only', { timeout: 60_000 }, async () => {
  const directory = await temporaryFolder();
  const first = await openTestSpool({ directory });
  first.producer.beforeAccept = () => new Promise(() => {});
  await settle(first.spool, 'req_1', 20);
  await opened(first.spool, 'req_2');
  const [path = ''] = await segmentsOf(directory);
  const before = (await readFile(path)).length;
  await closed(first.spool, 'req_2', 20);
  const whole = await copyOf(directory);
  const [source = ''] = await segmentsOf(whole);
  const after = (await readFile(source)).length;
  expect(after).toBeGreaterThan(before);

  for (let length = before; length <= after; length++) {
    const torn = await copyOf(whole);
    await truncate(join(torn, basename(source)), length);
    const { spool, producer } = await openTestSpool({ directory: torn });
    await eventually(() => spool.state().unsent === 0);
    expect(idsOf(producer.accepted)).toEqual(length === after ? ['req_1', 'req_2'] : ['req_1']);
    expect(spool.orphans.map(({ requestId }) => requestId)).toEqual(length === after ? [] : ['req_2']);
    await spool.stop(1_000);
  }
});

test.each([
  ['zeros, as a file system leaves them', Buffer.alloc(5_000)],
  ['garbage', Buffer.alloc(5_000, 0xa5)],
])('a tail of %s is cut', async (_name, garbage) => {
  const directory = await temporaryFolder();
  const first = await openTestSpool({ directory });
  await opened(first.spool, 'req_1');
  const copy = await copyOf(directory);
  await appendFile((await segmentsOf(copy))[0] ?? '', garbage);
  const { spool, log } = await openTestSpool({ directory: copy });
  expect(spool.orphans.map(({ requestId }) => requestId)).toEqual(['req_1']);
  expect(log.lines.filter((line) => line.includes('torn tail'))).toHaveLength(1);
  expect(log.lines.filter((line) => line.includes('damaged in the middle'))).toHaveLength(0);
});

test('damage in the middle is loud, a copy is set aside, and everything else is kept', async () => {
  const directory = await temporaryFolder();
  const first = await openTestSpool({ directory });
  first.producer.beforeAccept = () => new Promise(() => {});
  for (let index = 0; index < 20; index++) await settle(first.spool, `req_${index}`, 500);
  const copy = await copyOf(directory);
  const [path = ''] = await segmentsOf(copy);
  const bytes = await readFile(path);
  const value = eventOf('req_7', 500).value;
  const at = bytes.indexOf(value) + 100;
  const file = await open(path, 'r+');
  await file.write(Buffer.from([0xff]), 0, 1, at);
  await file.close();

  const { spool, producer, log } = await openTestSpool({ directory: copy });
  await eventually(() => spool.state().unsent === 0);
  expect(idsOf(producer.accepted)).toEqual(Array.from({ length: 20 }, (_, index) => `req_${index}`).filter((id) => id !== 'req_7'));
  // Its opening record is whole: the request is not lost, it is an orphan.
  expect(spool.orphans.map(({ requestId }) => requestId)).toEqual(['req_7']);
  expect(log.lines.filter((line) => line.includes('damaged in the middle'))).toHaveLength(1);
  expect(await readdir(join(copy, 'damaged'))).toHaveLength(1);
});

test('an acknowledgement that was not yet noted when the process died only sends the same bytes again', async () => {
  const directory = await temporaryFolder();
  const first = await openTestSpool({ directory });
  let copy = '';
  first.producer.beforeAccept = async () => {
    // The event log has it; the process dies before it hears so.
    copy = await copyOf(directory);
  };
  await settle(first.spool, 'req_1');
  await eventually(() => first.producer.accepted.length === 1);
  const { producer } = await openTestSpool({ directory: copy });
  await eventually(() => producer.accepted.length === 1);
  expect(producer.accepted).toEqual(first.producer.accepted);
});

test('a folder with strange files in it opens', async () => {
  const directory = await temporaryFolder();
  await writeFile(join(directory, 'README'), 'hello');
  await writeFile(join(directory, '000000000007.segment'), '');
  await writeFile(join(directory, '000000000009.segment'), 'not a segment');
  const { spool } = await openTestSpool({ directory });
  await settle(spool, 'req_1');
});
