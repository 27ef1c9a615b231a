import { expect, test } from 'vitest';
import type { AskAnswerItem, LeaseEffect } from '../../../../../services/proxy/admission/leases/lease-effects.ts';
import type { LeaseInput } from '../../../../../services/proxy/admission/leases/lease-protocol.ts';
import { step } from '../../../../../services/proxy/admission/leases/lease-protocol.ts';
import { createLeaseState, leaseTimes } from '../../../../../services/proxy/admission/leases/lease-state.ts';

test('what the window that is over had no room for is asked for anew in the next', () => {
  const node = { node: 'n', epoch: 1, incarnation: 'i' };
  const state = createLeaseState({ ...node, finals: [], torn: [], moved: false, times: leaseTimes });
  const kinds = (input: LeaseInput): LeaseEffect['kind'][] => step(state, input)[1].map(({ kind }) => kind);
  const take = (request: string, at: number) => kinds({ kind: 'take', request, holds: [{ limit: 'l', group: '', amount: 1n }], at });
  kinds({ kind: 'boot' });
  kinds({ kind: 'registered', answer: { status: 'registered', generation: 1, reconciling: false, waitMs: 0 } });
  kinds({ kind: 'beat', nonce: 'a', at: 0 });
  const told = { nonce: 'a', beat: 1, generation: 1, reconciling: false, live: 1, leases: [] };
  kinds({ kind: 'beaten', answer: { status: 'taken', ...told }, at: 0 });

  expect(take('first', 1_000)).toEqual(['ask']);
  const used = { counter: 'c', outcome: 'short' as const, granted: 0n, version: 1, unsettled: 0n, stuck: 0n };
  const item: AskAnswerItem = { limit: 'l', group: '', ...used, endsInMs: 700, opensInMs: 0 };
  const answer = { status: 'answered' as const, generation: 1, items: [item] };
  expect(kinds({ kind: 'answered', ask: 1, sentAt: 1_000, answer, at: 1_010 })).toEqual(['refuse']);
  expect(take('second', 1_600)).toEqual(['refuse']);
  expect(take('third', 1_700)).toEqual(['ask']);
});
