import { isFields, textOf } from '../../body/json-fields.ts';
import { lastJsonMember } from '../../body/json-members.ts';
import type { AnswerReading } from '../provider.ts';
import { readErrorMember } from './failure.ts';
import type { Reading } from './reading.ts';
import { normalizeUsage } from './usage.ts';

/** Longest raw usage the event keeps (schema/events/request-settled.v1.ts). */
const MAX_RAW_USAGE = 4_096;

/** What a whole chat completion says about itself; null when the bytes are no JSON object. */
export function readChatAnswer(bytes: Buffer, { readCost, meaningOf }: Reading): AnswerReading | null {
  let answer: unknown;
  try {
    answer = JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
  if (!isFields(answer)) return null;
  const reported = isFields(answer.usage) ? answer.usage : null;
  const { usage, flags } = reported === null ? { usage: null, flags: ['usage_missing'] } : normalizeUsage(reported);
  const failed = answer.choices === undefined && isFields(answer.error);
  return {
    facts: {
      modelAnswered: textOf(answer.model),
      finishReason: finishReasonOf(answer.choices),
      usage,
      rawUsage: reported === null ? null : rawUsageOf(bytes),
      usageFlags: flags,
      serviceTier: serviceTierOf(answer, reported),
      reportedCostPico: reported === null ? null : readCost(reported),
    },
    body: null,
    refusal: failed ? readErrorMember(answer.error, bytes, meaningOf) : null,
  };
}

/** The text of the member that tells the usage, to the byte, or null when there is none or it is larger than the event holds. */
export function rawUsageOf(bytes: Buffer, name = 'usage'): string | null {
  const member = lastJsonMember(bytes, name);
  if (member === null || member.end - member.start > MAX_RAW_USAGE) return null;
  return bytes.toString('utf8', member.start, member.end);
}

/** The tier an answer names: at its top, or inside its usage (Mistral). */
export function serviceTierOf(answer: Readonly<Record<string, unknown>>, usage: Readonly<Record<string, unknown>> | null): string | null {
  return textOf(answer.service_tier) ?? textOf(usage?.service_tier);
}

function finishReasonOf(choices: unknown): string | null {
  const first: unknown = Array.isArray(choices) ? choices[0] : null;
  return isFields(first) ? textOf(first.finish_reason) : null;
}
