import { expect, test } from 'vitest';
import { idFromUuid, mintUuid, uuidTimeMs } from '../../../../schema/values/ids.ts';
import type { Hold, Lease } from '../../../../services/proxy/admission/leases/lease-state.ts';
import { openHolds } from '../../../../services/proxy/budgets/open-holds.ts';

const leaseOf = (counter: string): Lease => ({
  limit: 'l',
  group: '',
  counter,
  granted: 0n,
  returned: 0n,
  spent: 0n,
  unsynced: 0n,
  free: 0n,
  acknowledged: 0n,
  opensAt: 0,
  stopsAt: 0,
  gone: false,
  scarceUntil: 0,
  yields: 'ready',
  usedAt: 0,
  takenBy: null,
  usedNow: 0n,
  usedBefore: 0n,
  horizonAt: 0,
  version: 0,
});
const uuidAt = (ms: number): string => mintUuid(ms, Buffer.alloc(10));

test('open holds are summed up by counter, and of the 100 oldest requests each is named', () => {
  const [one, other] = [leaseOf('one'), leaseOf('other')];
  const requests = new Map<string, Hold[]>();
  for (let ms = 1; ms <= 150; ms++) {
    requests.set(idFromUuid('request', uuidAt(ms)), [
      { lease: one, counter: 'one', amount: 2n },
      ...(ms > 100 ? [{ lease: other, counter: 'other', amount: BigInt(ms) }] : []),
    ]);
  }
  const { counters, oldest } = openHolds({ requests });
  expect(counters).toEqual([
    { counter: 'one', holds: 150, amount: 300n },
    { counter: 'other', holds: 50, amount: 6_275n },
  ]);
  expect(oldest).toHaveLength(100);
  expect(oldest.map(({ request }) => uuidTimeMs(request))).toEqual(Array.from({ length: 100 }, (_none, index) => index + 1));
});

test('what is told has a bound, whatever is held', () => {
  const requests = new Map<string, Hold[]>();
  for (let ms = 1; ms <= 6_000; ms++)
    requests.set(idFromUuid('request', uuidAt(ms)), [{ lease: leaseOf(''), counter: `counter ${ms}`, amount: 1n }]);
  const { counters, oldest } = openHolds({ requests });
  expect([counters.length, oldest.length]).toEqual([500, 100]);
});
