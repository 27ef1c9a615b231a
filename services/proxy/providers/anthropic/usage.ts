import type { TokenUsage, UnitUsage } from '../../../../schema/values/token-usage.ts';
import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import { count, flag, Whole } from '../usage-counts.ts';

/** What a usage object of Anthropic's says. */
export interface MessageUsage {
  /** Disjoint classes; null when neither side was reported. */
  readonly usage: TokenUsage | null;
  readonly units: UnitUsage | null;
  /** What the price depends on besides; one that our prices do not know leaves the request unrated, which fast mode has to. */
  readonly tier: string | null;
  readonly flags: readonly string[];
}

/** Where no answer said anything. */
export const NO_MESSAGE_USAGE: MessageUsage = { usage: null, units: null, tier: null, flags: ['usage_missing'] };

/**
 * The usage known after one more usage object of a stream: numbers are cumulative, so the last value of each field wins, and what a later object leaves
 * out or has null stays as it was (providers.md 2.1).
 */
export function laterUsage(before: Fields | null, told: Fields): Fields {
  if (before === null) return told;
  const merged: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(told)) if (value !== null) merged[name] = value;
  return merged;
}

/**
 * Disjoint token classes of a usage object of Anthropic's, where cached tokens stand outside of `input_tokens` (providers.md 2.2).
 * - Writes to the cache are split by how long they are kept where the answer says so; what it leaves unsplit was kept for five minutes, its default.
 * - `thinking_tokens` are a part of the output, and are taken out of it.
 * - `iterations` has the steps of an answer, of which the fields beside it leave out the compaction: then the sum of the steps counts. A step by
 *   another model (its advisor) is billed at that model's prices, which these are not: `other_model`.
 * Missing is null and never 0; an explicit 0 stays.
 */
export function normalizeMessageUsage(raw: Fields): MessageUsage {
  const flags: string[] = [];
  const steps = Array.isArray(raw.iterations) ? raw.iterations.filter(isFields) : [];
  const parts = steps.length === 0 ? [raw] : steps;
  if (steps.some(({ type }) => type === 'advisor_message')) flags.push('other_model');

  const input = sumOf(parts, ({ input_tokens }) => count(input_tokens, flags));
  const output = new Whole(
    sumOf(parts, ({ output_tokens }) => count(output_tokens, flags)),
    flags,
  );
  const cacheRead = sumOf(parts, ({ cache_read_input_tokens }) => count(cache_read_input_tokens, flags));
  const writes = parts.map((part) => writesOf(part, flags));
  const reasoning = output.take(isFields(raw.output_tokens_details) ? count(raw.output_tokens_details.thinking_tokens, flags) : null);

  const isUnknown = input === null && output.rest === null;
  if (isUnknown) flag(flags, 'usage_missing');
  else if (input === null || output.rest === null) flag(flags, 'usage_partial');
  const usage: TokenUsage = {
    ...UNKNOWN_USAGE,
    input,
    cacheRead,
    cacheWrite5m: sumOf(writes, ({ fiveMinutes }) => fiveMinutes),
    cacheWrite1h: sumOf(writes, ({ oneHour }) => oneHour),
    output: output.rest,
    reasoning,
  };
  const searches = isFields(raw.server_tool_use) ? count(raw.server_tool_use.web_search_requests, flags) : null;
  return {
    usage: isUnknown ? null : usage,
    units: searches === null ? null : { searches, images: null, audioSeconds: null },
    tier: raw.speed === 'fast' ? 'fast' : textOf(raw.service_tier),
    flags,
  };
}

interface Writes {
  readonly fiveMinutes: number | null;
  readonly oneHour: number | null;
}

function writesOf(part: Fields, flags: string[]): Writes {
  const all = count(part.cache_creation_input_tokens, flags);
  const split = isFields(part.cache_creation) ? part.cache_creation : null;
  const short = split === null ? null : count(split.ephemeral_5m_input_tokens, flags);
  const oneHour = split === null ? null : count(split.ephemeral_1h_input_tokens, flags);
  if (short === null && oneHour === null) return { fiveMinutes: all, oneHour: null };
  if (all === null || all === (short ?? 0) + (oneHour ?? 0)) return { fiveMinutes: short, oneHour };
  // In a stream the split is told once, before the count is final: what came after it went the way of the rest.
  if (all < (short ?? 0) + (oneHour ?? 0)) {
    flag(flags, 'total_mismatch');
    return { fiveMinutes: short, oneHour };
  }
  if ((oneHour ?? 0) > 0 && (short ?? 0) === 0) return { fiveMinutes: short, oneHour: all };
  if ((oneHour ?? 0) > 0) flag(flags, 'total_mismatch');
  return { fiveMinutes: all - (oneHour ?? 0), oneHour };
}

/** Null where no part tells it. */
function sumOf<Part>(parts: readonly Part[], told: (part: Part) => number | null): number | null {
  let sum: number | null = null;
  for (const part of parts) {
    const tokens = told(part);
    if (tokens !== null) sum = (sum ?? 0) + tokens;
  }
  return sum;
}
