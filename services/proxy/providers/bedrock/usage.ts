import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields } from '../../body/json-fields.ts';
import type { NormalizedUsage } from '../openai/usage.ts';
import { count, flag, Whole } from '../usage-counts.ts';

/**
 * Disjoint classes of a usage object of Converse (providers.md 2.2): `inputTokens` is without what was read from the cache or written to it. Each of these
 * comes under two names and is one number. `cacheDetails` tells for how long was written; what it leaves open was for five minutes, the default.
 */
export function normalizeUsage(raw: unknown): NormalizedUsage {
  if (!isFields(raw)) return { usage: null, flags: ['usage_missing'] };
  const flags: string[] = [];
  const input = count(raw.inputTokens, flags);
  const output = count(raw.outputTokens, flags);
  const total = count(raw.totalTokens, flags);
  if (input === null && output === null) return { usage: null, flags: [...flags, 'usage_missing'] };
  if (input === null || output === null) flag(flags, 'usage_partial');
  const cacheRead = count(raw.cacheReadInputTokens ?? raw.cacheReadInputTokenCount, flags);
  const cacheWrite = count(raw.cacheWriteInputTokens ?? raw.cacheWriteInputTokenCount, flags);
  const written = new Whole(cacheWrite, flags);
  const cacheWrite1h = written.take(writtenForAnHour(raw.cacheDetails, flags));
  if (total !== null && total !== (input ?? 0) + (cacheRead ?? 0) + (cacheWrite ?? 0) + (output ?? 0)) flag(flags, 'total_mismatch');
  return { usage: { ...UNKNOWN_USAGE, input, cacheRead, cacheWrite5m: written.rest, cacheWrite1h, output }, flags };
}

/** Null where the answer does not tell for how long it wrote. */
function writtenForAnHour(details: unknown, flags: string[]): number | null {
  if (!Array.isArray(details)) return null;
  return details
    .filter((detail): detail is Fields => isFields(detail) && detail.ttl === '1h')
    .reduce((sum, { inputTokens }) => sum + (count(inputTokens, flags) ?? 0), 0);
}
