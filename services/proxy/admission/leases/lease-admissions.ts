import { askAhead, askFor } from './lease-asks.ts';
import type { LeaseEffect, RefusalCode } from './lease-effects.ts';
import { type HoldWanted, type LeaseState, mostWaiting, slotOf } from './lease-state.ts';
import { admitIfFree, mayAdmit } from './lease-takes.ts';

function refuse(request: string, code: RefusalCode, retryAfterSeconds: number, limit: string | null): LeaseEffect {
  return { kind: 'refuse', request, code, retryAfterSeconds, limit };
}

/**
 * Admission of one request to all its counters (`reference/leases.md` §4.1, §4.2): admitted at once from local room, or it waits for one ask,
 * holding nothing meanwhile, or it is refused.
 */
export function take(state: LeaseState, request: string, holds: readonly HoldWanted[], at: number): LeaseEffect[] {
  if (!mayAdmit(state, at)) return [refuse(request, 'accounting_unavailable', 1, null)];
  const opened = admitIfFree(state, request, holds, 'open', at);
  if (opened !== null) {
    const effects = [opened];
    for (const { limit, group } of holds) for (const effect of askAhead(state, slotOf(state, limit, group), at)) effects.push(effect);
    return effects;
  }
  for (const { limit, group, amount } of holds) {
    const { refusal } = slotOf(state, limit, group);
    if (refusal === null || refusal.until <= at || amount < refusal.hold) continue;
    return [refuse(request, refusal.code, refusal.retryAfterSeconds, limit)];
  }
  if (state.waiting.length >= mostWaiting) return [refuse(request, 'accounting_unavailable', 1, null)];
  const waiter = { request, holds, until: at + state.times.leaseWaitMs };
  state.waiting.push(waiter);
  return askFor(state, waiter, at);
}

/** A further call of an admitted request that may be billed again: it takes its own hold, or it is not made (§4.3). It does not wait. */
export function raise(state: LeaseState, request: string, holds: readonly HoldWanted[], at: number): LeaseEffect[] {
  const raised = mayAdmit(state, at) && state.requests.has(request) ? admitIfFree(state, request, holds, 'raise', at) : null;
  return [raised ?? refuse(request, 'budget_in_flight', 1, null)];
}
