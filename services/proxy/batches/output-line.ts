import type { TokenUsage, UnitUsage } from '../../../schema/values/token-usage.ts';
import { isFields, parseFields, textOf } from '../body/json-fields.ts';
import type { Provider } from '../providers/provider.ts';

/** What was used of a model, by one line of the output of a batch or by several. */
export interface OutputUsage {
  readonly modelAnswered: string | null;
  /** Null: it does not say. */
  readonly usage: TokenUsage | null;
  readonly units: UnitUsage | null;
  readonly serviceTier: string | null;
  readonly flags: readonly string[];
}

/** An answer that was made and whose usage nobody can tell: unrated, never free. */
const UNREAD: OutputUsage = { modelAnswered: null, usage: null, units: null, serviceTier: null, flags: ['usage_unread'] };

/**
 * What a line of an output file says was used.
 * @param line null: one that is longer than can be read. @returns null for what is not billed: a request that failed, an empty line.
 */
export function readOutputLine(line: Buffer | null, { readUsage }: Pick<Provider, 'readUsage'>): OutputUsage | null {
  if (line === null) return UNREAD;
  const fields = parseFields(line);
  if (fields === null) return line.toString('latin1').trim() === '' ? null : UNREAD;
  const { response } = fields;
  if (!isFields(response)) return null;
  if (typeof response.status_code === 'number' && response.status_code >= 400) return null;
  const body = isFields(response.body) ? response.body : {};
  const known = { ...UNREAD, modelAnswered: textOf(body.model), serviceTier: textOf(body.service_tier) };
  if (!isFields(body.usage)) return { ...known, flags: ['usage_missing'] };
  const read = readUsage?.(body.usage);
  if (read === undefined) return known;
  const { usage, units = null, serviceTier, flags } = read;
  return { ...known, usage, units, serviceTier: serviceTier ?? known.serviceTier, flags };
}
