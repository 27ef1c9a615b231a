import { formatUsd } from '../../../schema/values/money.ts';
import type { RateLimitUnit } from '../../../schema/values/rate-limit.ts';

/** An amount of a limit as people read it. */
export function amountText(unit: RateLimitUnit, amount: bigint): string {
  return unit === 'usd' ? formatUsd(amount) : amount.toString();
}

export function unitName(unit: RateLimitUnit): string {
  return unit === 'usd' ? 'USD' : unit.replace('_', ' ');
}

/** @param per the period of a limit; null: it is of what runs at once. */
export function spanOf(per: string | null): string {
  return per === null ? 'at once' : `per ${per.replace('_', ' ')}`;
}
