import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import { isFields } from '../../body/json-fields.ts';
import type { NormalizedUsage } from '../openai/usage.ts';
import { count, flag, Whole } from '../usage-counts.ts';

/**
 * Disjoint classes of what Cohere bills (providers.md 2.2). `tokens` counts its hidden template too, and `cached_tokens` is a part of that count: neither
 * is a class of ours, both stay in the raw usage. Reasoning is billed as output. Without billed units nothing is known.
 */
export function normalizeUsage(raw: unknown): NormalizedUsage {
  const flags: string[] = [];
  const { billed_units: billed, tokens } = isFields(raw) ? raw : {};
  const input = isFields(billed) ? count(billed.input_tokens, flags) : null;
  const total = isFields(billed) ? count(billed.output_tokens, flags) : null;
  if (input === null && total === null) return { usage: null, flags: [...flags, 'usage_missing'] };
  if (input === null || total === null) flag(flags, 'usage_partial');
  const output = new Whole(total, flags);
  const reasoning = output.take(isFields(tokens) ? count(tokens.reasoning_tokens, flags) : null);
  return { usage: { ...UNKNOWN_USAGE, input, output: output.rest, reasoning }, flags };
}
