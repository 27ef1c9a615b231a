import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EventLogError } from '../../../../services/eventlog/event-log.ts';
import { FolderInUseError } from '../../../../services/eventlog/folder-lock.ts';
import { eventually } from '../../../harness/eventually.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';
import { closed, eventOf, idsOf, opened, openTestSpool, settle, settleMany } from './spool-harness.ts';

test('a settled request reaches the event log once, with the bytes it was closed with', async () => {
  const { spool, producer } = await openTestSpool({ directory: await temporaryFolder() });
  await settle(spool, 'req_1', 500);
  await eventually(() => spool.state().unsent === 0);
  expect(producer.accepted).toEqual([eventOf('req_1', 500)]);
});

test('onWritten never runs before the caller has gone on, and the records of one turn are covered by one write', async () => {
  const { spool } = await openTestSpool({ directory: await temporaryFolder() });
  const order: string[] = [];
  const both = Promise.all(
    ['req_1', 'req_2'].map((id) => new Promise<void>((resolve) => spool.open(id, 'x', () => resolve(void order.push(`written ${id}`))))),
  );
  order.push('turn goes on');
  await both;
  expect(order).toEqual(['turn goes on', 'written req_1', 'written req_2']);
});

test('what was open when a process ended is an orphan with its draft, in order, until it is closed, and then never again', async () => {
  const directory = await temporaryFolder();
  const first = await openTestSpool({ directory });
  await Promise.all(['req_1', 'req_2', 'req_3'].map((id) => opened(first.spool, id)));
  await closed(first.spool, 'req_2');
  await first.spool.stop(1_000);

  const second = await openTestSpool({ directory });
  expect(second.spool.orphans.map(({ requestId, draft }) => [requestId, draft])).toEqual([
    ['req_1', 'draft of req_1'],
    ['req_3', 'draft of req_3'],
  ]);
  await closed(second.spool, 'req_1');
  await second.spool.stop(1_000);

  const third = await openTestSpool({ directory });
  expect(third.spool.orphans.map(({ requestId }) => requestId)).toEqual(['req_3']);
  await closed(third.spool, 'req_3');
  await third.spool.stop(1_000);
  expect((await openTestSpool({ directory })).spool.orphans).toEqual([]);
});

test('every boot of a folder has a number of its own', async () => {
  const directory = await temporaryFolder();
  for (const epoch of [1, 2, 3]) {
    const { spool } = await openTestSpool({ directory });
    expect(spool.state().epoch).toBe(epoch);
    await spool.stop(1_000);
  }
});

test('two processes never share a folder', async () => {
  const directory = await temporaryFolder();
  const { spool } = await openTestSpool({ directory });
  await expect(openTestSpool({ directory })).rejects.toBeInstanceOf(FolderInUseError);
  await settle(spool, 'req_1');
});

test('of many who start on a dead owner`s folder at once exactly one wins', async () => {
  const directory = await temporaryFolder();
  await (await openTestSpool({ directory })).spool.stop(1_000);
  const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => openTestSpool({ directory })));
  expect(attempts.filter((attempt) => attempt.status === 'fulfilled')).toHaveLength(1);
});

test('at its bound it refuses open and append, and close still fits', async () => {
  const { spool, producer } = await openTestSpool({ directory: await temporaryFolder(), maxBytes: 1_000_000, segmentBytes: 50_000 });
  producer.beforeAccept = () => new Promise(() => {});
  const accepted: string[] = [];
  for (let index = 0; index < 100; index++) {
    const id = `req_${index}`;
    if (spool.open(id, 'x'.repeat(100), () => {})) accepted.push(id);
  }
  expect(accepted.length).toBeGreaterThan(5);
  expect(accepted.length).toBeLessThan(20);
  expect(spool.append('req_more', eventOf('req_more'), () => {})).toBe(false);
  await Promise.all(accepted.map((id) => closed(spool, id, 65_535)));
  expect(spool.state()).toMatchObject({ open: 0, unsent: accepted.length });
  expect(spool.state().bytes).toBeLessThanOrEqual(1_000_000);
});

test('more requests than the bound are refused and taken again when others close', async () => {
  const { spool } = await openTestSpool({ directory: await temporaryFolder(), maxOpen: 2 });
  await Promise.all([opened(spool, 'req_1'), opened(spool, 'req_2')]);
  await expect(opened(spool, 'req_3')).rejects.toThrow('refused');
  await closed(spool, 'req_1');
  await opened(spool, 'req_3');
});

test('acknowledged records free their segments, and one long request does not keep them all', async () => {
  const { spool } = await openTestSpool({ directory: await temporaryFolder(), segmentBytes: 20_000 });
  await opened(spool, 'req_long');
  await settleMany(spool, 1_000, 20, 2_000);
  await eventually(() => spool.state().bytes < 500_000);
  expect(spool.state().open).toBe(1);
  await closed(spool, 'req_long');
});

test('a request carried to younger segments is still the same orphan', async () => {
  const directory = await temporaryFolder();
  const first = await openTestSpool({ directory, segmentBytes: 20_000 });
  await opened(first.spool, 'req_long');
  await settleMany(first.spool, 1_000, 20, 2_000);
  await eventually(() => first.spool.state().bytes < 500_000);
  await first.spool.stop(1_000);
  const { spool } = await openTestSpool({ directory });
  expect(spool.orphans.map(({ requestId, draft }) => [requestId, draft])).toEqual([['req_long', 'draft of req_long']]);
});

test('the sender keeps order, one batch at a time, and repeats a failed batch unchanged', async () => {
  const { spool, producer } = await openTestSpool({ directory: await temporaryFolder() });
  let failures = 2;
  producer.beforeAccept = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    if (failures-- > 0) throw new EventLogError('the broker is away', { retryable: true });
  };
  const ids = Array.from({ length: 1_200 }, (_, index) => `req_${index}`);
  await settle(spool, 'req_first');
  await eventually(() => producer.calls.length > 0);
  await Promise.all(ids.map((id) => settle(spool, id)));
  await eventually(() => spool.state().unsent === 0);
  expect(idsOf(producer.accepted)).toEqual(['req_first', ...ids]);
  expect(producer.mostInFlight).toBe(1);
  expect(producer.calls.slice(0, 3).map(idsOf)).toEqual([['req_first'], ['req_first'], ['req_first']]);
  expect(Math.max(...producer.calls.map((records) => records.length))).toBe(500);
});

test('a batch stays within its bytes', async () => {
  const { spool, producer } = await openTestSpool({ directory: await temporaryFolder() });
  await Promise.all(Array.from({ length: 30 }, (_, index) => settle(spool, `req_${index}`, 60_000)));
  await eventually(() => producer.accepted.length === 30);
  for (const records of producer.calls) expect(records.reduce((sum, { value }) => sum + value.length, 0)).toBeLessThanOrEqual(500_000);
});

test('an event the log refuses for good is set aside and reported, and the others go on in order', async () => {
  const directory = await temporaryFolder();
  const { spool, producer, log } = await openTestSpool({ directory });
  producer.beforeAccept = (records) => {
    if (idsOf(records).includes('req_7')) throw new EventLogError('too large', { retryable: false });
  };
  const ids = Array.from({ length: 20 }, (_, index) => `req_${index}`);
  await Promise.all(ids.map((id) => settle(spool, id)));
  await eventually(() => spool.state().unsent === 0);
  expect(idsOf(producer.accepted)).toEqual(ids.filter((id) => id !== 'req_7'));
  const line: unknown = JSON.parse(await readFile(join(directory, 'rejected-1.jsonl'), 'utf8'));
  expect(line).toMatchObject({ requestId: 'req_7', reason: 'too large', value: eventOf('req_7').value.toString('base64') });
  expect(log.lines.filter((text) => text.includes('set aside'))).toHaveLength(1);
});

test('an outage longer than memory is shipped from disk, in order', async () => {
  const { spool, producer } = await openTestSpool({ directory: await temporaryFolder(), segmentBytes: 2_000_000 });
  let away = true;
  producer.beforeAccept = () => {
    if (away) throw new EventLogError('away', { retryable: true });
  };
  const ids = Array.from({ length: 400 }, (_, index) => `req_${index}`);
  for (const id of ids) await settle(spool, id, 60_000);
  expect(spool.state().unsent).toBe(400);
  expect(spool.state().oldestUnsentMs).toBeGreaterThan(0);
  away = false;
  await eventually(() => spool.state().unsent === 0);
  expect(idsOf(producer.accepted)).toEqual(ids);
  expect(producer.accepted.every((record, index) => record.value.equals(eventOf(`req_${index}`, 60_000).value))).toBe(true);
});

test('stop hands over what is closed and refuses what is new', async () => {
  const { spool, producer } = await openTestSpool({ directory: await temporaryFolder() });
  await Promise.all(Array.from({ length: 50 }, (_, index) => settle(spool, `req_${index}`)));
  const stopping = spool.stop(5_000);
  expect(spool.open('req_late', 'x', () => {})).toBe(false);
  expect(spool.append('req_late', eventOf('req_late'), () => {})).toBe(false);
  await stopping;
  expect(producer.accepted).toHaveLength(50);
});

test('stop gives up at its deadline, and what was not handed over is sent by the next process', async () => {
  const directory = await temporaryFolder();
  const first = await openTestSpool({ directory });
  first.producer.beforeAccept = () => new Promise(() => {});
  await settle(first.spool, 'req_1');
  // Nobody else would ever let it end.
  await first.spool.stop(100);
  const second = await openTestSpool({ directory });
  await eventually(() => second.producer.accepted.length === 1);
  expect(second.producer.accepted).toEqual([eventOf('req_1')]);
});

test('an event without an open record is stored and sent like the others', async () => {
  const { spool, producer } = await openTestSpool({ directory: await temporaryFolder() });
  await new Promise<void>((resolve) => {
    expect(spool.append('req_refused', eventOf('req_refused'), resolve)).toBe(true);
  });
  await eventually(() => spool.state().unsent === 0);
  expect(idsOf(producer.accepted)).toEqual(['req_refused']);
});

test('a callback that throws does not keep the others from running', async () => {
  const { spool, log } = await openTestSpool({ directory: await temporaryFolder() });
  spool.open('req_1', 'x', () => {
    throw new Error('broken caller');
  });
  await opened(spool, 'req_2');
  expect(log.lines.some((line) => line.includes('broken caller'))).toBe(true);
});
