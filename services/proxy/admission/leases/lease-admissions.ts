import { askAhead, askFor, isAheadDue } from './lease-asks.ts';
import type { LeaseEffect, RefusalCode } from './lease-effects.ts';
import { type HoldWanted, type LeaseState, mostWaiting, slotOf } from './lease-state.ts';
import { admitIfFree, mayAdmit, taken } from './lease-takes.ts';

function refuse(request: string, code: RefusalCode, retryAfterSeconds: number, limit: string | null): LeaseEffect {
  return { kind: 'refuse', request, code, retryAfterSeconds, limit };
}

/**
 * Admission of one request to all its counters (`reference/leases.md` §4.1, §4.2): admitted at once from local room, or it waits for one ask,
 * holding nothing meanwhile, or it is refused.
 */
export function take(state: LeaseState, request: string, holds: readonly HoldWanted[], at: number): LeaseEffect[] {
  if (!mayAdmit(state, at)) return [refuse(request, 'accounting_unavailable', 1, null)];
  const held = admitIfFree(state, request, holds, at);
  if (held !== null) {
    const effects = [taken('open', request, held)];
    for (const { lease } of held) {
      // Looked for only where it is due: this is every request's way.
      if (isAheadDue(state, lease, at)) effects.push(...askAhead(state, slotOf(state, lease.limit, lease.group), at));
    }
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
  const raised = mayAdmit(state, at) && state.requests.has(request) ? admitIfFree(state, request, holds, at) : null;
  return [raised === null ? refuse(request, 'budget_in_flight', 1, null) : taken('raise', request, raised)];
}
