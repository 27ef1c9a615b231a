import { expect, test } from 'vitest';
import type { JournalLine } from './judge-stream.ts';
import { judgeStream } from './judge-stream.ts';

// Positions have gaps: audit events are not the tail's.
const journal: readonly JournalLine[] = [3n, 4n, 7n, 8n, 9n].map((position) => ({ position, requestId: `req_${position}` }));

test('a subscriber that was told of each line once and in order holds', () => {
  expect(judgeStream(journal, journal)).toEqual([]);
  expect(judgeStream([], [])).toEqual([]);
});

test.each([
  ['a line that is missing in the middle', journal.filter(({ position }) => position !== 7n)],
  ['a line that comes twice', [...journal.slice(0, 2), ...journal.slice(1)]],
  ['two lines that changed places', [3n, 7n, 4n, 8n, 9n].flatMap((at) => journal.filter(({ position }) => position === at))],
  ['an end that never came', journal.slice(0, 3)],
  ['a line that is not in the journal', [...journal, { position: 10n, requestId: 'req_10' }]],
  ['another request at a position', journal.map((line) => (line.position === 4n ? { ...line, requestId: 'req_x' } : line))],
])('%s is found', (_what, received) => {
  expect(judgeStream(received, journal).length).toBeGreaterThan(0);
});
