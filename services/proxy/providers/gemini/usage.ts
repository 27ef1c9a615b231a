import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import { lastJsonMember } from '../../body/json-members.ts';
import { count, flag, Whole } from '../usage-counts.ts';

/** Longest raw usage the event keeps (schema/events/request-settled.v1.ts). */
const MAX_RAW_USAGE = 4_096;

/** What Google reports of one answer: each chunk of a stream has it again, with the counts so far. */
export class GeminiUsage {
  #fields: Fields | null = null;
  #text: string | null = null;

  /**
   * Takes the `usageMetadata` of a chunk: counts are of all so far, so that the last of each counts and nothing is added.
   * @param text the chunk as it came.
   */
  note(usageMetadata: unknown, text: string): void {
    if (!isFields(usageMetadata)) return;
    this.#fields = { ...this.#fields, ...usageMetadata };
    this.#text = text;
  }

  /** The last as it came, to the byte where it did not come in a list of chunks; null when none did. */
  raw(): string | null {
    if (this.#fields === null || this.#text === null) return null;
    const bytes = Buffer.from(this.#text, 'utf8');
    const member = lastJsonMember(bytes, 'usageMetadata');
    const raw = member === null ? JSON.stringify(this.#fields) : bytes.toString('utf8', member.start, member.end);
    return raw.length > MAX_RAW_USAGE ? null : raw;
  }

  /** As the answer spelled it: `serviceTier` of the Gemini API, `trafficType` of Vertex AI. */
  tier(): string | null {
    return textOf(this.#fields?.serviceTier) ?? textOf(this.#fields?.trafficType);
  }

  classes(): { readonly usage: TokenUsage | null; readonly flags: readonly string[] } {
    return this.#fields === null ? { usage: null, flags: ['usage_missing'] } : normalizeGeminiUsage(this.#fields);
  }
}

/**
 * Disjoint classes of a `usageMetadata` (providers.md 2.2). Cached tokens and modalities lie inside the prompt; what tools brought in is an addend of the
 * input, thoughts are one of the output. Google leaves out what is 0: an output it does not name is 0 where its total says so, else unknown. Sounds and
 * pictures that were cached cost what is cached. Video and documents count as text, which is their price. An embedding spells its details `promptTokenDetails`.
 */
export function normalizeGeminiUsage(raw: Fields): { readonly usage: TokenUsage | null; readonly flags: readonly string[] } {
  const flags: string[] = [];
  const prompt = count(raw.promptTokenCount, flags);
  const tools = count(raw.toolUsePromptTokenCount, flags) ?? 0;
  const thoughts = count(raw.thoughtsTokenCount, flags);
  const total = count(raw.totalTokenCount, flags);
  const named = (prompt ?? 0) + tools + (thoughts ?? 0);
  const candidates = count(raw.candidatesTokenCount, flags) ?? (prompt !== null && total === named ? 0 : null);
  if (prompt === null && candidates === null) return { usage: null, flags: [...flags, 'usage_missing'] };
  if (prompt === null || candidates === null) flag(flags, 'usage_partial');
  else if (total !== null && total !== named + candidates) flag(flags, 'total_mismatch');

  const input = new Whole(prompt === null ? null : prompt + tools, flags);
  const output = new Whole(candidates, flags);
  const cached = raw.cacheTokensDetails;
  const fresh = (modality: string): number | null => {
    const came = ofModality(raw.promptTokensDetails ?? raw.promptTokenDetails, modality, flags);
    const fetched = ofModality(raw.toolUsePromptTokensDetails, modality, flags);
    if (came === null && fetched === null) return null;
    return Math.max(0, (came ?? 0) + (fetched ?? 0) - (ofModality(cached, modality, flags) ?? 0));
  };
  const usage = {
    ...UNKNOWN_USAGE,
    cacheRead: input.take(count(raw.cachedContentTokenCount, flags)),
    inputAudio: input.take(fresh('AUDIO')),
    inputImage: input.take(fresh('IMAGE')),
    outputAudio: output.take(ofModality(raw.candidatesTokensDetails, 'AUDIO', flags)),
    outputImage: output.take(ofModality(raw.candidatesTokensDetails, 'IMAGE', flags)),
    reasoning: thoughts,
  };
  return { usage: { ...usage, input: input.rest, output: output.rest }, flags };
}

/** Tokens of one modality in a list of `{modality, tokenCount}`; null: it is not named. */
function ofModality(details: unknown, modality: string, flags: string[]): number | null {
  if (!Array.isArray(details)) return null;
  let sum: number | null = null;
  for (const detail of details) {
    if (!isFields(detail) || detail.modality !== modality) continue;
    const tokens = count(detail.tokenCount, flags);
    if (tokens !== null) sum = (sum ?? 0) + tokens;
  }
  return sum;
}
