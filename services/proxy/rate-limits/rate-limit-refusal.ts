import { GatewayError } from '../../../schema/errors.ts';
import type { PlannedHold } from '../budgets/budget-holds.ts';
import type { SeenLimit } from '../budgets/seen-limits.ts';
import type { LimitStanding } from './limit-standing.ts';
import { amountText, spanOf, unitName } from './limit-words.ts';
import { tooLargeRefusal } from './too-large-refusal.ts';

/** What is known when a rate limit has no room for a request. */
export interface FullLimit {
  readonly hold: PlannedHold;
  /** As the database last said; null where it did not. */
  readonly seen: SeenLimit | null;
  readonly standing: LimitStanding | null;
  /** Where what others hold could come back. */
  readonly retryAfterSeconds: number;
}

/**
 * The refusal of a rate limit (client-contract section 2): `Retry-After` is the end of the window where what is used leaves no room whatever comes back, or else
 * when something may have come back.
 */
export function rateLimitRefusal({ hold, seen, standing, retryAfterSeconds }: FullLimit): GatewayError {
  const { budget, limit, unit, amount: needed } = hold;
  const rule = budget.limits.find(({ id }) => id === limit);
  const amount = seen?.amount ?? BigInt(rule?.amount ?? 0);
  const per = rule?.window.kind ?? null;
  if (needed > amount) return tooLargeRefusal({ rateLimit: budget.id, unit, per, needed, amount });
  const settled = seen?.settled ?? 0n;
  const spent = standing?.spent ?? 0n;
  const isUsed = amount - (spent > settled ? spent : settled) < needed;
  const endsInMs = standing?.endsInMs ?? Number.POSITIVE_INFINITY;
  return fullRefusal({
    budget,
    unit,
    per,
    needed,
    amount,
    remaining: standing?.remaining ?? 0n,
    retryAfterSeconds: isUsed && Number.isFinite(endsInMs) ? Math.max(1, Math.ceil(endsInMs / 1_000)) : retryAfterSeconds,
  });
}

type Full = Pick<PlannedHold, 'budget' | 'unit'> & {
  /** Null: at once. */
  readonly per: string | null;
  readonly needed: bigint;
  readonly amount: bigint;
  readonly remaining: bigint;
  readonly retryAfterSeconds: number;
};

/** The refusal of a limit that has no room just now. */
export function fullRefusal({ budget, unit, per, needed, amount, remaining, retryAfterSeconds }: Full): GatewayError {
  const part = budget.except === null ? '' : ', less what is kept for others,';
  return new GatewayError('rate_limit_exceeded', {
    message: `A rate limit of ${amountText(unit, amount)} ${unitName(unit)} ${spanOf(per)}${part} is reached. Retry after the time given in \`Retry-After\`.`,
    retryAfterSeconds,
    meta: {
      rate_limit_id: budget.id,
      unit,
      per,
      needed: amountText(unit, needed),
      limit: amountText(unit, amount),
      remaining: amountText(unit, remaining),
    },
  });
}
