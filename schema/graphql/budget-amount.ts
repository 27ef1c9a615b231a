import { PICO_PER_USD } from '../values/money.ts';
import type { RateLimitUnit } from '../values/rate-limit.ts';
import { badInput } from './bad-input.ts';

/** An amount of a limit's unit as it is kept, from a decimal in whole units. @throws GraphQLError `BAD_USER_INPUT` for half a token. */
export function budgetAmount(unit: RateLimitUnit, picoAmount: bigint): string {
  if (unit === 'usd') return picoAmount.toString();
  if (picoAmount % PICO_PER_USD !== 0n) throw badInput(`An amount of ${unit.replace('_', ' ')} is a whole number.`);
  return (picoAmount / PICO_PER_USD).toString();
}

/** The decimal, in pico, of an amount as it is kept. */
export function decimalOfBudget(unit: RateLimitUnit, amount: string | bigint): bigint {
  return unit === 'usd' ? BigInt(amount) : BigInt(amount) * PICO_PER_USD;
}
