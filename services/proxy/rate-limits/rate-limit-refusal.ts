import { GatewayError } from '../../../schema/errors.ts';
import { formatUsd } from '../../../schema/values/money.ts';
import type { PlannedHold } from '../budgets/budget-holds.ts';
import type { SeenLimit } from '../budgets/seen-limits.ts';
import type { LimitStanding } from './limit-standing.ts';

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
  const settled = seen?.settled ?? 0n;
  const spent = standing?.spent ?? 0n;
  const isUsed = amount - (spent > settled ? spent : settled) < needed;
  const endsInMs = standing?.endsInMs ?? Number.POSITIVE_INFINITY;
  const text = (value: bigint): string => (unit === 'usd' ? formatUsd(value) : value.toString());
  const name = unit === 'usd' ? 'USD' : unit.replace('_', ' ');
  const per = rule?.window.kind ?? null;
  const tooLarge = `The request could use ${text(needed)} ${name}, more than a rate limit lets through per ${per}: ${text(amount)}. Make it shorter, or lower its output limit.`;
  const part = budget.except === null ? '' : ', less what is kept for others,';
  return new GatewayError('rate_limit_exceeded', {
    message:
      needed > amount
        ? tooLarge
        : `A rate limit of ${text(amount)} ${name} per ${per}${part} is reached. Retry after the time given in \`Retry-After\`.`,
    retryAfterSeconds: isUsed && Number.isFinite(endsInMs) ? Math.max(1, Math.ceil(endsInMs / 1_000)) : retryAfterSeconds,
    meta: { rate_limit_id: budget.id, unit, per, needed: text(needed), limit: text(amount), remaining: text(standing?.remaining ?? 0n) },
  });
}
