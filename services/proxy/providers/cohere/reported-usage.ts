import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields } from '../../body/json-fields.ts';
import { NO_UNITS } from '../openai/media/media-usage.ts';
import type { NormalizedUsage } from '../openai/usage.ts';
import type { ReportedUsage } from '../provider.ts';
import { count } from '../usage-counts.ts';
import { normalizeUsage } from './usage.ts';

/** What Cohere bills, of whatever it was asked: ranking by the search, an embedding by its texts and its pictures, a conversation by both sides. */
export function readCohereUsage(reported: Fields): ReportedUsage {
  const billed = isFields(reported.billed_units) ? reported.billed_units : {};
  const flags: string[] = [];
  const searches = count(billed.search_units, flags);
  if (searches !== null) return { usage: null, units: { ...NO_UNITS, searches }, flags, costPico: null };
  const read = billed.image_tokens === undefined ? normalizeUsage(reported) : embeddingUsage(billed);
  return { ...read, costPico: null };
}

/** Pictures are billed beside texts, and vectors are no output. */
export function embeddingUsage(billed: Fields): NormalizedUsage {
  const flags: string[] = [];
  const input = count(billed.input_tokens, flags);
  const inputImage = count(billed.image_tokens, flags);
  if (input === null && inputImage === null) return { usage: null, flags: [...flags, 'usage_missing'] };
  return { usage: { ...UNKNOWN_USAGE, input, inputImage, output: 0 }, flags };
}
