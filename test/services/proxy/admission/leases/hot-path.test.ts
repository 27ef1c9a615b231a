import fc from 'fast-check';
import { expect, test } from 'vitest';
import { askAhead, isAheadDue } from '../../../../../services/proxy/admission/leases/lease-asks.ts';
import { step } from '../../../../../services/proxy/admission/leases/lease-protocol.ts';
import type { Lease, LeaseState, Refusal } from '../../../../../services/proxy/admission/leases/lease-state.ts';
import { createLeaseState, leaseTimes, slotOf } from '../../../../../services/proxy/admission/leases/lease-state.ts';

const refusal: Refusal = { code: 'budget_in_flight', retryAfterSeconds: 1, hold: 1n, until: 100, backoffMs: 100, version: 1 };

/** A process that may admit, with a lease that has this much of room. */
function leased(
  granted: bigint,
  { open = 0n, ...fields }: Partial<Lease> & { readonly open?: bigint } = {},
): { readonly state: LeaseState; readonly lease: Lease } {
  const state = createLeaseState({ node: 'n', epoch: 1, incarnation: 'i', finals: [], torn: [], moved: false, times: leaseTimes });
  state.phase = 'running';
  state.fenceAt = Number.POSITIVE_INFINITY;
  const amounts = { returned: 0n, spent: 0n, unsynced: 0n, acknowledged: 0n, usedNow: 0n, usedBefore: 0n };
  const times = { opensAt: Number.NEGATIVE_INFINITY, stopsAt: Number.POSITIVE_INFINITY, scarceUntil: 0, usedAt: 0, horizonAt: 0 };
  const lease: Lease = {
    limit: 'l',
    group: '',
    counter: 'c',
    granted,
    ...amounts,
    free: granted - (fields.spent ?? 0n) - open,
    ...times,
    takenBy: null,
    gone: false,
    yields: 'ready',
    version: 1,
    ...fields,
  };
  state.leases.set('c', lease);
  slotOf(state, 'l', '').lease = lease;
  return { state, lease };
}

const amount = fc.bigInt({ min: 0n, max: 20n });

test('what asks ahead is never passed over by the look that every take has', () => {
  const due = { yes: 0, no: 0 };
  fc.assert(
    fc.property(
      fc.record({
        granted: fc.bigInt({ min: 40n, max: 80n }),
        spent: amount,
        open: amount,
        usedNow: fc.bigInt({ min: -5n, max: 40n }),
        usedBefore: amount,
        at: fc.integer({ min: 0, max: 60_000 }),
        stopsAt: fc.oneof(fc.integer({ min: 0, max: 60_000 }), fc.constant(Number.POSITIVE_INFINITY)),
        scarceUntil: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60_000 })),
        usedAt: fc.integer({ min: 0, max: 60_000 }),
        gone: fc.boolean(),
        refused: fc.boolean(),
      }),
      ({ granted, at, refused, ...fields }) => {
        const { state, lease } = leased(granted, fields);
        if (refused) slotOf(state, 'l', '').refusal = refusal;
        const isDue = isAheadDue(state, lease, at);
        due[isDue ? 'yes' : 'no'] += 1;
        if (!isDue) expect(askAhead(state, slotOf(state, 'l', ''), at)).toEqual([]);
      },
    ),
  );
  expect(Math.min(due.yes, due.no)).toBeGreaterThan(0);
});

test('a settlement frees its room when it is synced and not before, however many are synced at once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ hold: fc.bigInt({ min: 1n, max: 9n }), raised: amount, cost: amount }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(12), { maxLength: 6 }),
      (calls, looks) => {
        const { state, lease } = leased(1_000n);
        const freed: bigint[] = [];
        for (const [index, { hold, raised, cost }] of calls.entries()) {
          const request = `r${index}`;
          step(state, { kind: 'take', request, holds: [{ limit: 'l', group: '', amount: hold }], at: 0 });
          step(state, { kind: 'raise', request, holds: [{ limit: 'l', group: '', amount: raised }], at: 0 });
          const [, [closed]] = step(state, { kind: 'settle', request, costs: new Map([['c', cost]]), at: 0 });
          const held = hold + raised;
          expect(closed).toEqual({
            kind: 'close',
            request,
            settlement: index + 1,
            holds: [{ counter: 'c', hold: held, debit: cost, cost }],
          });
          freed.push(cost < held ? held - cost : 0n);
        }
        const spent = calls.reduce((sum, { cost }) => sum + cost, 0n);
        for (const settlement of looks.sort((one, other) => one - other)) {
          step(state, { kind: 'synced', settlement });
          const waiting = freed.slice(settlement).reduce((sum, room) => sum + room, 0n);
          expect({ unsynced: lease.unsynced, free: lease.free }).toEqual({ unsynced: waiting, free: 1_000n - spent - waiting });
        }
      },
    ),
  );
});
