import { expect, test } from 'vitest';
import type { LeaseEffect } from '../../../../../services/proxy/admission/leases/lease-effects.ts';
import type { LeaseInput } from '../../../../../services/proxy/admission/leases/lease-protocol.ts';
import { step } from '../../../../../services/proxy/admission/leases/lease-protocol.ts';
import { createLeaseState, leaseTimes, slotOf } from '../../../../../services/proxy/admission/leases/lease-state.ts';

/** A process with all of a counter's room, 4, in two calls, and more requests than that; `live` processes beat. */
function busy(live: number) {
  const state = createLeaseState({ node: 'n', epoch: 1, incarnation: 'i', finals: [], torn: [], moved: false, times: leaseTimes });
  const give = (input: LeaseInput): LeaseEffect[] => step(state, input)[1];
  const told = { limit: 'l', group: '', counter: 'c', granted: 4n, gone: false, version: 1 };
  let beats = 0;
  const beat = (at: number, wanted: boolean): void => {
    give({ kind: 'beat', nonce: `${beats}`, at });
    const leases = beats === 0 ? [] : [{ ...told, wanted }];
    beats += 1;
    const answer = { status: 'taken', nonce: `${beats - 1}`, beat: beats, generation: 1, reconciling: false, live, leases } as const;
    give({ kind: 'beaten', answer, at });
  };
  const take = (request: string, at: number): string | undefined =>
    give({ kind: 'take', request, holds: [{ limit: 'l', group: '', amount: 2n }], at })[0]?.kind;
  const end = (request: string, at: number): LeaseEffect[] => {
    give({ kind: 'settle', request, costs: new Map([['c', 0n]]), at });
    return give({ kind: 'synced', settlement: state.settlements });
  };
  const answer = (outcome: 'granted' | 'short', granted: bigint, at: number): LeaseEffect[] => {
    const item = {
      limit: 'l',
      group: '',
      counter: 'c',
      outcome,
      granted,
      version: 1,
      unsettled: 4n,
      stuck: 0n,
      endsInMs: null,
      opensInMs: 0,
    };
    const ask = slotOf(state, 'l', '').asking ?? 0;
    return give({ kind: 'answered', ask, sentAt: at, answer: { status: 'answered', generation: 1, items: [item] }, at });
  };
  give({ kind: 'registered', answer: { status: 'registered', generation: 1, reconciling: false, waitMs: 0 } });
  beat(0, false);
  take('one', 0);
  answer('granted', 2n, 0);
  take('two', 0);
  answer('granted', 4n, 0);
  expect(state.requests.size).toBe(2);
  return { beat, take, end, answer };
}

const given = (returned: bigint) => [{ kind: 'return', epoch: 1, items: [{ counter: 'c', returned }] }];

test('who is told that somebody is short gives one call of room back, and lets the others ask for a second', () => {
  const { beat, take, end, answer } = busy(3);
  beat(1_000, true);
  expect(end('one', 1_100)).toEqual(given(2n));
  expect(take('three', 1_101)).toBe('refuse');
  expect(take('three', 2_099)).toBe('refuse');
  // One call's and no more: what the next one frees is used here.
  expect(end('two', 2_100)).toEqual([]);
  expect(take('four', 2_100)).toBe('open');
  expect(take('three', 2_101)).toBe('ask');
  // Somebody has taken it, so others do need it.
  expect(answer('short', 4n, 2_105)).toMatchObject([{ kind: 'refuse', code: 'budget_in_flight', retryAfterSeconds: 1 }]);
  beat(3_000, true);
  expect(end('four', 3_100)).toEqual(given(4n));
});

test('who finds it still there a second later keeps the rest', () => {
  const { beat, take, end, answer } = busy(3);
  beat(1_000, true);
  end('one', 1_100);
  expect(take('three', 2_101)).toBe('ask');
  expect(answer('granted', 6n, 2_105)).toMatchObject([{ kind: 'open', request: 'three' }]);
  beat(3_000, true);
  expect(end('two', 3_100)).toEqual([]);
  expect(take('four', 3_101)).toBe('open');
});

test('who is alone yields to nobody', () => {
  const { beat, take, end } = busy(1);
  beat(1_000, true);
  expect(end('one', 1_100)).toEqual([]);
  expect(take('three', 1_101)).toBe('open');
});

test('a recall that is over asks for nothing', () => {
  const { beat, take, end } = busy(3);
  beat(1_000, true);
  expect(end('one', 1_000 + leaseTimes.scarceMs)).toEqual([]);
  expect(take('three', 1_001 + leaseTimes.scarceMs)).toBe('open');
});
