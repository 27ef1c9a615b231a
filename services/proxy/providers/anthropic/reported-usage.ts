import type { Fields } from '../../body/json-fields.ts';
import type { ReportedUsage } from '../provider.ts';
import { normalizeMessageUsage } from './usage.ts';

/** Usage of an endpoint nobody here knows, in Anthropic's words. */
export function readReportedMessageUsage(reported: Fields): ReportedUsage {
  const { usage, units, tier, flags } = normalizeMessageUsage(reported);
  return { usage, units, serviceTier: tier, flags, costPico: null };
}
