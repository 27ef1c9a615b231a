import { comesTo } from '../../../schema/values/budget-threshold.ts';
import type { CompiledBudget } from './compiled-budgets.ts';
import type { WatchedLimit, WatchedLimits } from './watched-limits.ts';
import { FRESH_MS } from './watched-limits.ts';

/** A limit that counts a request, whose budget has thresholds. */
export interface WarnableLimit {
  /** `bud_…` */
  readonly budget: string;
  /** In hundredths of a percent. */
  readonly warnsFrom: number;
  /** Seen by when the answer goes out, though perhaps not when the request comes in. */
  readonly watched: WatchedLimit;
}

interface CountingLimit {
  readonly budget: CompiledBudget;
  readonly limit: string;
  readonly group: string;
}

/** Most that one answer warns of: a header is no report. */
const MOST_WARNED = 3;

/** Of nearly every answer. */
const NONE: readonly string[] = [];

/**
 * Has those of these limits looked at whose budgets have thresholds.
 * @param before of the same request.
 * @returns both together; null where there is none.
 */
export function watchWarnable(
  counting: readonly CountingLimit[],
  limits: Pick<WatchedLimits, 'watch'>,
  before: readonly WarnableLimit[] | null,
): readonly WarnableLimit[] | null {
  let all: WarnableLimit[] | null = null;
  for (const { budget, limit, group } of counting) {
    if (budget.warnsFrom === null) continue;
    all ??= before === null ? [] : [...before];
    all.push({ budget: budget.id, warnsFrom: budget.warnsFrom, watched: limits.watch(limit, group) });
  }
  return all ?? before;
}

/**
 * `x-turnpike-budget-warning: <budget>;used=<percent>`, flat, of budgets of which as much is booked as their lowest threshold: the most used first, at
 * most three of them, each by its most used limit (client-contract section 9). Percents are whole and rounded down. Requests in flight and the ledger's
 * lag are not in what is booked, so each is a lower bound; what was seen long before the request came is not said.
 */
export function budgetWarningHeaders(request: {
  readonly warnable: readonly WarnableLimit[] | null;
  /** Milliseconds of the clock of the looks. */
  readonly arrivedAt: number;
}): readonly string[] {
  if (request.warnable === null) return NONE;
  const used = new Map<string, bigint>();
  for (const { budget, warnsFrom, watched } of request.warnable) {
    const { sight, seenAt } = watched;
    // Of a limit of nothing no use is a percentage.
    if (sight === null || sight.amount <= 0n || request.arrivedAt - seenAt > FRESH_MS) continue;
    if (!comesTo(sight.settled, sight.amount, warnsFrom)) continue;
    const percent = (sight.settled * 100n) / sight.amount;
    if (percent > (used.get(budget) ?? -1n)) used.set(budget, percent);
  }
  if (used.size === 0) return NONE;
  const mostUsed = [...used].sort(([, one], [, other]) => Number(other - one)).slice(0, MOST_WARNED);
  return ['x-turnpike-budget-warning', mostUsed.map(([budget, percent]) => `${budget};used=${percent}`).join(', ')];
}
