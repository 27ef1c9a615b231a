import type { Fields } from '../../body/json-fields.ts';
import type { ReportedUsage } from '../provider.ts';
import { normalizeResponseUsage } from './responses/usage.ts';
import type { ReadCost } from './usage.ts';
import { normalizeUsage } from './usage.ts';

/**
 * Usage of an endpoint nobody here knows, in either spelling of OpenAI's dialect: that of chat (`prompt_tokens`), and the newer one (`input_tokens`), which
 * says the same of the same parts.
 */
export function readReportedUsage(reported: Fields, readCost: ReadCost): ReportedUsage {
  const normalize = reported.input_tokens === undefined ? normalizeUsage : normalizeResponseUsage;
  return { ...normalize(reported), costPico: readCost(reported) };
}
