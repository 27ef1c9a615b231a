import { expect, test } from 'vitest';
import { proveLeaseLog } from '../../../services/cli/lease-log-file.ts';

type Entry = Readonly<Record<string, string | number | null>>;

const entry = (version: number, kind: string, amount: string, committed: string, more: Entry = {}): Entry => ({
  counter: 'one',
  version,
  kind,
  node: kind === 'reconcile' ? null : 'n',
  epoch: kind === 'reconcile' ? null : 1,
  amount,
  committed,
  cap: '1000',
  ...more,
});

const history = [
  entry(1, 'grant', '600', '600'),
  entry(2, 'return', '-100', '500'),
  entry(3, 'grant', '123456789012345678901234567890', '123456789012345678901234568390', { cap: '200000000000000000000000000000' }),
  entry(4, 'close', '-123456789012345678901234568000', '390', { cap: '200000000000000000000000000000' }),
];

async function prove(entries: readonly (Entry | string)[]) {
  async function* lines() {
    for (const each of entries) yield typeof each === 'string' ? each : JSON.stringify(each);
  }
  return proveLeaseLog(lines());
}

test('a log that adds up is proved, to the last unit, for each counter by itself', async () => {
  const other = entry(1, 'grant', '5', '5', { counter: 'two' });
  expect(await prove([...history, other, ''])).toEqual({ counters: 2, entries: 5, findings: [] });
});

test.each([
  ['an entry that is missing', [history[0], history[2]].map((each) => each ?? ''), 'version 3: follows version 1'],
  ['a first entry that is missing', history.slice(1), 'version 2: follows version 0'],
  ['a summary that is not the first entry', [history[0] ?? '', entry(3, 'summary', '500', '500')], 'version 3: follows version 1'],
  ['an amount that was changed', [{ ...history[0], amount: '601' }], 'version 1: says 600, the entries come to 601'],
  [
    'an amount beyond 2^53 that was changed by one',
    [...history.slice(0, 2), { ...history[2], amount: '123456789012345678901234567891' }],
    'version 3: says',
  ],
  ['a grant above the limit of its time', [{ ...history[0], cap: '599' }], '600 is above the limit of then, 599'],
  [
    'a return of more than was granted',
    [history[0] ?? '', entry(2, 'grant', '1', '601', { node: 'm' }), entry(3, 'return', '-601', '0')],
    'n in epoch 1 has given back 1 more',
  ],
  [
    'a counter in two places',
    [history[0] ?? '', entry(1, 'grant', '5', '5', { counter: 'two' }), history[1] ?? ''],
    'one: its entries are not together',
  ],
  ['a line that is no entry', ['{"counter":"one","version":1}'], 'line 1 is no entry'],
  ['an amount that is no number', [{ ...history[0], amount: '1e3' }], 'line 1 is no entry'],
])('%s is found', async (_what, entries, sentence) => {
  const { findings } = await prove(entries);
  expect(findings.join('\n')).toContain(sentence);
});

test('what a reconciliation changed of leases without naming them is not held against them', async () => {
  const entries = [entry(1, 'grant', '10', '10'), entry(2, 'reconcile', '90', '100'), entry(3, 'return', '-60', '40')];
  expect(await prove(entries)).toMatchObject({ findings: [] });
});

test('a log may begin with a summary of what came before, at whatever version', async () => {
  const summary = entry(7, 'summary', '500', '500', { node: null, epoch: null });
  expect(await prove([summary])).toMatchObject({ findings: [] });
  expect(await prove([summary, entry(8, 'return', '-100', '400')])).toMatchObject({ findings: [] });
  const { findings } = await prove([{ ...summary, amount: '499' }]);
  expect(findings).toEqual(['one, version 7: says 500, the entries come to 499']);
});
