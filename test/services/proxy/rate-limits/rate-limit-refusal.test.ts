import { expect, test } from 'vitest';
import { compileRateLimit } from '../../../../services/proxy/rate-limits/compiled-rate-limit.ts';
import { rateLimitRefusal } from '../../../../services/proxy/rate-limits/rate-limit-refusal.ts';

const limits = [{ id: 'l', unit: 'requests' as const, amount: '10', per: 'minute' as const, commonId: null }];
const [compiled] = compileRateLimit({ id: 'rlm_1', organizationId: 'org_1', selector: [], groupBy: [], limits, reserve: null });
if (compiled === undefined) throw new Error('nothing was compiled');
const hold = { limit: 'l', group: '', amount: 1n, unit: 'requests' as const, budget: compiled.budget, counter: '' };
const seen = { amount: 10n, settled: 0n, held: 10n, resetsAt: null };
const standing = { remaining: 0n, spent: 0n, endsInMs: 41_200 };

test.each([
  ['when something may come back, while others hold what is left', seen, standing, 1],
  ['the end of the window, once all is settled', { ...seen, settled: 10n, held: 0n }, standing, 42],
  ['the end of the window, once this process has used it though nothing is posted', seen, { ...standing, spent: 10n }, 42],
  ['what little is known, where nothing is', null, null, 1],
])('a refusal says to come back at %s', (_when, saw, stands, retryAfterSeconds) => {
  const error = rateLimitRefusal({ hold, seen: saw, standing: stands, retryAfterSeconds: 1 });
  expect([error.code, error.retryAfterSeconds]).toEqual(['rate_limit_exceeded', retryAfterSeconds]);
});
