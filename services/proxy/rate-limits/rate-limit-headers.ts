import type { RateLimitUnit } from '../../../schema/values/rate-limit.ts';
import type { PlannedHold } from '../budgets/budget-holds.ts';
import type { LimitStanding } from './limit-standing.ts';

/** How limits stand, by id and group; null where nothing is known. */
export type StandingOf = (limit: string, group: string) => LimitStanding | null;

/** What OpenAI's clients read, and the same for what Anthropic limits besides. Money has no such header. */
const HEADER_UNITS: readonly (readonly [RateLimitUnit, string])[] = [
  ['requests', 'requests'],
  ['tokens', 'tokens'],
  ['input_tokens', 'input-tokens'],
  ['output_tokens', 'output-tokens'],
];

/**
 * `x-ratelimit-{limit,remaining,reset}-…`, flat, of those rate limits of a request that leave the least (client-contract section 5).
 * @returns null where no rate limit counts it in these units.
 */
export function rateLimitHeaders(holds: readonly PlannedHold[], standingOf: StandingOf): readonly string[] | null {
  if (!holds.some(({ budget }) => budget.kind === 'rate_limit')) return null;
  const headers: string[] = [];
  for (const [unit, name] of HEADER_UNITS) {
    const tightest = tightestOf(holds, unit, standingOf);
    if (tightest === null) continue;
    const { amount, remaining, endsInMs } = tightest;
    headers.push(`x-ratelimit-limit-${name}`, amount.toString(), `x-ratelimit-remaining-${name}`, remaining.toString());
    if (Number.isFinite(endsInMs)) headers.push(`x-ratelimit-reset-${name}`, resetText(endsInMs));
  }
  return headers.length === 0 ? null : headers;
}

type Tightest = { readonly amount: bigint } & Pick<LimitStanding, 'remaining' | 'endsInMs'>;

function tightestOf(holds: readonly PlannedHold[], wanted: RateLimitUnit, standingOf: StandingOf): Tightest | null {
  let tightest: Tightest | null = null;
  for (const { budget, unit, limit, group } of holds) {
    if (budget.kind !== 'rate_limit' || unit !== wanted) continue;
    const amount = BigInt(budget.limits.find(({ id }) => id === limit)?.amount ?? 0);
    const { remaining, endsInMs } = standingOf(limit, group) ?? { remaining: amount, endsInMs: Number.POSITIVE_INFINITY };
    if (tightest === null || remaining < tightest.remaining) tightest = { amount, remaining, endsInMs };
  }
  return tightest;
}

/** A time as OpenAI prints it: `250ms`, `12s`, `6m0s`, `23h59m1s`; rounded up, so that waiting for it is long enough. */
export function resetText(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.ceil(milliseconds)}ms`;
  const seconds = Math.ceil(milliseconds / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  if (seconds < 60) return `${seconds}s`;
  return `${hours === 0 ? '' : `${hours}h`}${minutes}m${seconds % 60}s`;
}
