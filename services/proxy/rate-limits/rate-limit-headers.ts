import type { RateLimitUnit } from '../../../schema/values/rate-limit.ts';
import type { PlannedHold } from '../budgets/budget-holds.ts';
import type { PlannedShare } from '../shares/planned-share.ts';
import type { ShareStanding } from '../shares/share-book.ts';
import type { LimitStanding } from './limit-standing.ts';

/** How limits stand, by id and group; null where nothing is known. */
export interface StandingsOf {
  readonly counted: (limit: string, group: string) => LimitStanding | null;
  readonly shared: (limit: string, group: string) => ShareStanding | null;
}

/** What OpenAI's clients read, and the same for what else is limited. Money has no such header. */
const HEADER_UNITS: readonly (readonly [RateLimitUnit, string])[] = [
  ['requests', 'requests'],
  ['tokens', 'tokens'],
  ['input_tokens', 'input-tokens'],
  ['output_tokens', 'output-tokens'],
  ['concurrent_requests', 'concurrent-requests'],
];

/** How one limit stands. */
interface Standing {
  readonly unit: RateLimitUnit;
  readonly amount: bigint;
  readonly remaining: bigint;
  readonly endsInMs: number;
}

/**
 * `x-ratelimit-{limit,remaining,reset}-…`, flat, of those rate limits of a request that leave the least (client-contract section 5).
 * @returns null where no rate limit counts it in these units.
 */
export function rateLimitHeaders(
  holds: readonly PlannedHold[],
  shares: readonly PlannedShare[],
  standingsOf: StandingsOf,
): readonly string[] | null {
  if (shares.length === 0 && !holds.some(({ budget }) => budget.kind === 'rate_limit')) return null;
  const standings = [...countedStandings(holds, standingsOf), ...sharedStandings(shares, standingsOf)];
  const headers: string[] = [];
  for (const [wanted, name] of HEADER_UNITS) {
    const tightest = tightestOf(standings.filter(({ unit }) => unit === wanted));
    if (tightest === null) continue;
    const { amount, remaining, endsInMs } = tightest;
    headers.push(`x-ratelimit-limit-${name}`, amount.toString(), `x-ratelimit-remaining-${name}`, remaining.toString());
    if (Number.isFinite(endsInMs)) headers.push(`x-ratelimit-reset-${name}`, resetText(endsInMs));
  }
  return headers.length === 0 ? null : headers;
}

function countedStandings(holds: readonly PlannedHold[], { counted }: StandingsOf): Standing[] {
  return holds.flatMap(({ budget, unit, limit, group }) => {
    if (budget.kind !== 'rate_limit') return [];
    const amount = BigInt(budget.limits.find(({ id }) => id === limit)?.amount ?? 0);
    const { remaining, endsInMs } = counted(limit, group) ?? { remaining: amount, endsInMs: Number.POSITIVE_INFINITY };
    return [{ unit, amount, remaining, endsInMs }];
  });
}

function sharedStandings(shares: readonly PlannedShare[], { shared }: StandingsOf): Standing[] {
  return shares.map(({ unit, limit, group, most }) => {
    const { remaining, endsInMs } = shared(limit, group) ?? { remaining: most, endsInMs: Number.POSITIVE_INFINITY };
    return { unit, amount: most, remaining, endsInMs };
  });
}

function tightestOf(standings: readonly Standing[]): Standing | null {
  return standings.reduce<Standing | null>(
    (tightest, each) => (tightest === null || each.remaining < tightest.remaining ? each : tightest),
    null,
  );
}

/** A time as OpenAI prints it: `250ms`, `12s`, `6m0s`, `23h59m1s`; rounded up, so that waiting for it is long enough. */
export function resetText(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.ceil(milliseconds)}ms`;
  const seconds = Math.ceil(milliseconds / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  if (seconds < 60) return `${seconds}s`;
  return `${hours === 0 ? '' : `${hours}h`}${minutes}m${seconds % 60}s`;
}
