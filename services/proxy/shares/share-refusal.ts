import { GatewayError } from '../../../schema/errors.ts';
import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import { fullRefusal } from '../rate-limits/rate-limit-refusal.ts';
import { tooLargeRefusal } from '../rate-limits/too-large-refusal.ts';
import type { PlannedShare } from './planned-share.ts';
import type { ShareShortage, ShareStanding } from './share-book.ts';

/** How long a span of this length is called; null: what runs. */
function periodName(periodMs: number | null): string | null {
  if (periodMs === null) return null;
  return periodMs === 1_000 ? 'second' : 'ten_seconds';
}

/** The refusal of a shared limit, with a small `Retry-After`: what was used leaves soon, and what others do not use comes back within two seconds. */
export function shareRefusal(share: PlannedShare, kind: ShareShortage['kind'], standing: ShareStanding | null): GatewayError {
  const { budget, unit, amount: needed, most: amount } = share;
  if (kind === 'crowded') {
    return new GatewayError('accounting_unavailable', {
      message: 'A rate limit tells more groups apart than one proxy keeps.',
      retryAfterSeconds: 1,
    });
  }
  if (kind === 'unproven') return new GatewayError('accounting_unavailable', { retryAfterSeconds: 1 });
  const per = periodName(share.periodMs);
  if (needed > amount) return tooLargeRefusal({ rateLimit: budget.id, unit, per, needed, amount });
  const fitsInMs = standing?.fitsInMs(needed) ?? 0;
  return fullRefusal({
    budget,
    unit,
    per,
    needed,
    amount,
    remaining: standing?.remaining ?? 0n,
    retryAfterSeconds: Number.isFinite(fitsInMs) ? Math.max(1, Math.ceil(fitsInMs / 1_000)) : 1,
  });
}

/** What the event of a refused request says of the limit: `settled` is what requests of this process used of it, `held` what is others'. */
export function refusedByShare(
  { budget, limit, amount, most, periodMs }: PlannedShare,
  standing: ShareStanding | null,
): NonNullable<RequestSettled['refusedBy']> {
  const { used, others } = standing ?? { used: 0n, others: 0n };
  // What runs is not settled.
  const [settled, held] = periodMs === null ? [0n, used + others] : [used, others];
  return {
    budget: budget.id,
    limit,
    needed: amount.toString(),
    amount: most.toString(),
    settled: standing === null ? null : settled.toString(),
    held: standing === null ? null : held.toString(),
  };
}
