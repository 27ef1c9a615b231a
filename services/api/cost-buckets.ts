import type { Clock } from '../runtime/clock.ts';

/** A leaky bucket of points. */
export interface BucketRule {
  readonly limit: number;
  readonly restorePerSecond: number;
}

/** Each key's own bucket, and the ceiling of all of an organization's together (reference/graphql.md section 4). */
export const principalRule: BucketRule = { limit: 2_000, restorePerSecond: 100 };
const organizationRule: BucketRule = { limit: 20_000, restorePerSecond: 1_000 };
/** Dearest single operation. */
export const mostPoints = 1_000;
export const mostNodes = 10_000;

export interface Charge {
  readonly granted: boolean;
  /** Left in the principal's bucket. */
  readonly remaining: number;
  /** After how long as much would be there as was asked; 0 where it was granted. */
  readonly retryAfterMs: number;
}

export interface CostBuckets {
  readonly charge: (principalId: string, organizationId: string, points: number) => Charge;
  /** Gives back what an operation did not use. */
  readonly refund: (principalId: string, organizationId: string, points: number) => void;
  readonly remaining: (principalId: string) => number;
}

/** Buckets remembered at once; beyond it those are forgotten that were used longest ago, which are the fullest. */
const mostBuckets = 10_000;

export function createCostBuckets(clock: Clock): CostBuckets {
  const principals = createBuckets(principalRule, clock);
  const organizations = createBuckets(organizationRule, clock);
  return {
    charge: (principalId, organizationId, points) => {
      const waits = [principals.missing(principalId, points), organizations.missing(organizationId, points)];
      const retryAfterMs = Math.max(...waits);
      if (retryAfterMs > 0) return { granted: false, remaining: principals.level(principalId), retryAfterMs };
      principals.add(principalId, -points);
      organizations.add(organizationId, -points);
      return { granted: true, remaining: principals.level(principalId), retryAfterMs: 0 };
    },
    refund: (principalId, organizationId, points) => {
      principals.add(principalId, points);
      organizations.add(organizationId, points);
    },
    remaining: (principalId) => principals.level(principalId),
  };
}

function createBuckets({ limit, restorePerSecond }: BucketRule, clock: Clock) {
  const buckets = new Map<string, { readonly level: number; readonly atMs: number }>();
  const level = (id: string): number => {
    const bucket = buckets.get(id);
    if (bucket === undefined) return limit;
    return Math.min(limit, bucket.level + ((clock.monotonic() - bucket.atMs) / 1_000) * restorePerSecond);
  };
  return {
    level: (id: string): number => Math.floor(level(id)),
    /** Milliseconds until so many points are there. */
    missing: (id: string, points: number): number => Math.max(0, Math.ceil(((points - level(id)) / restorePerSecond) * 1_000)),
    add: (id: string, points: number): void => {
      const next = Math.min(limit, level(id) + points);
      buckets.delete(id);
      const oldest = buckets.size >= mostBuckets ? buckets.keys().next().value : undefined;
      if (oldest !== undefined) buckets.delete(oldest);
      buckets.set(id, { level: next, atMs: clock.monotonic() });
    },
  };
}
