import { createSecretKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { createDrain } from '../../../../services/api/live/drain.ts';
import { createJournalHub } from '../../../../services/api/live/journal-hub.ts';
import { createRequestTail } from '../../../../services/api/live/request-tail.ts';
import { createStreamCursors } from '../../../../services/api/live/stream-cursor.ts';
import { seededRandom } from '../../../harness/seeded-random.ts';
import { createVirtualTime } from '../../../harness/virtual-time.ts';
import { silentLog } from '../../ledger/posting.ts';

const dayMs = 86_400_000;

test('a stream says every 15 s that it lives, also after somebody has set the clock back', async () => {
  const time = createVirtualTime(Date.now());
  let offMs = 0;
  const clock = { now: () => time.clock.now() + offMs, monotonic: time.clock.monotonic };
  const pages = { head: async () => 0n, page: async () => [], pageOf: async () => [] };
  const feed = { epoch: async () => 'one', of: () => pages, listen: () => ({ stop: async () => {} }) };
  const hub = await createJournalHub({ feed, clock, timers: time.timers, log: silentLog });
  const viewer = {
    apiKeyId: '',
    organizationId: 'org',
    name: 'reader',
    permissions: ['request:read' as const],
    expiresAt: null,
    allowedCidrs: null,
  };
  const tail = await createRequestTail(
    {
      hub,
      pages,
      clock,
      timers: time.timers,
      random: seededRandom(1),
      organizationId: 'org',
      cursors: createStreamCursors(createSecretKey(Buffer.alloc(32, 1))),
      watch: () => ({ current: () => ({ kind: 'known', viewer }), onChange: () => () => {}, release: () => {} }),
      drain: createDrain(),
    },
    { filter: { kind: 'and', parts: [] }, sampleRate: 1, after: null },
  );
  const told: Date[] = [];
  void (async () => {
    for await (const event of tail) if (event.kind === 'heartbeat') told.push(event.at);
  })();
  await time.advance(1_000);
  expect(told).toHaveLength(1);
  offMs = -3 * dayMs;
  await time.advance(31_000);
  expect(told).toHaveLength(3);
  // What it tells is the time of day as the machine has it.
  expect(told[2]?.getTime()).toBeLessThan((told[0]?.getTime() ?? 0) - 2 * dayMs);
  await Promise.all([tail.return?.(), hub.stop()]);
});
