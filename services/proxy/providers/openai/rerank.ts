import type { UnitUsage } from '../../../../schema/values/token-usage.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields, parseFields, textOf } from '../../body/json-fields.ts';
import type { AnswerFacts, AnswerReading } from '../provider.ts';
import { NO_FACTS } from '../provider.ts';
import { count, flag } from '../usage-counts.ts';
import { readErrorMember } from './failure.ts';
import { NO_UNITS } from './media/media-usage.ts';
import { outerMembers } from './outer-members.ts';
import type { Reading } from './reading.ts';
import { rawUsageOf } from './response.ts';
import { normalizeUsage } from './usage.ts';

/** What an answer of scores says besides them, whoever gives it; null when the bytes are no JSON object. */
export function readRerank(bytes: Buffer, reading: Reading): AnswerReading | null {
  const answer = outerMembers(bytes, 'results');
  if (answer === null) return null;
  const facts = { ...readUsage(answer, bytes, reading), modelAnswered: textOf(answer.model) };
  if (answer.results !== undefined) return { facts, body: null, refusal: null };
  if (isFields(answer.error)) return { facts, body: null, refusal: readErrorMember(answer.error, bytes, reading.meaningOf) };
  return { facts, body: asResults(bytes), refusal: null };
}

/**
 * Search units or tokens, of which a provider bills one: where it tells searches (Cohere in `meta.billed_units`, OpenRouter in `usage`), its tokens are
 * no classes of ours and stand in the raw usage alone. Some tell a total without its parts (Jina): there is no output.
 */
function readUsage(answer: Fields, bytes: Buffer, { readCost }: Reading): AnswerFacts {
  const { usage, meta } = answer;
  const billed = isFields(meta) ? meta.billed_units : null;
  const told = isFields(usage) ? usage : isFields(billed) ? billed : null;
  if (told === null) return { ...NO_FACTS, usageFlags: ['usage_missing'] };
  const flags: string[] = [];
  const searches = count(told.search_units, flags);
  const units: UnitUsage | null = searches === null ? null : { ...NO_UNITS, searches };
  const { usage: tokens, flags: oddities } = units === null ? normalizeUsage(inputOf(told)) : { usage: null, flags: [] };
  for (const oddity of oddities) flag(flags, oddity);
  return {
    ...NO_FACTS,
    usage: tokens,
    units,
    rawUsage: rawUsageOf(bytes, isFields(usage) ? 'usage' : 'meta'),
    usageFlags: flags,
    reportedCostPico: readCost(told),
  };
}

/** Scores are no tokens: what is told of no output has none. */
function inputOf(told: Fields): Fields {
  const { prompt_tokens: prompt = told.input_tokens ?? told.total_tokens, completion_tokens: completion } = told;
  return { ...told, prompt_tokens: prompt, completion_tokens: completion ?? (prompt === undefined ? undefined : 0) };
}

/** Fireworks has the results as `data`, and the text of a document where others have an object. Null: there are none. */
function asResults(bytes: Buffer): Buffer | null {
  const { data, ...others } = parseFields(bytes) ?? {};
  if (!Array.isArray(data)) return null;
  const results = data.map((result) =>
    isFields(result) && typeof result.document === 'string' ? { ...result, document: { text: result.document } } : result,
  );
  return Buffer.from(JSON.stringify({ ...others, results }), 'utf8');
}
