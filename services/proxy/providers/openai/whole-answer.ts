import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { AnswerReading } from '../provider.ts';
import { readErrorMember } from './failure.ts';
import { outerMembers } from './outer-members.ts';
import type { Reading } from './reading.ts';
import { rawUsageOf, serviceTierOf } from './response.ts';
import type { NormalizedUsage } from './usage.ts';
import { normalizeUsage } from './usage.ts';

/** What an answer that is no text says besides its `results`, which are not read; null when the bytes are no JSON object. */
export function readWholeAnswer(
  bytes: Buffer,
  results: string,
  { readCost, meaningOf }: Reading,
  normalize: (usage: Fields) => NormalizedUsage = inputUsage,
): AnswerReading | null {
  const answer = outerMembers(bytes, results);
  if (answer === null) return null;
  const reported = isFields(answer.usage) ? answer.usage : null;
  const { usage, flags } = reported === null ? { usage: null, flags: ['usage_missing'] } : normalize(reported);
  const failed = answer[results] === undefined && isFields(answer.error);
  return {
    facts: {
      modelAnswered: textOf(answer.model),
      finishReason: null,
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

/** Most say nothing of an output; where all tokens are those of the input, that is a true 0. */
function inputUsage(raw: Fields): NormalizedUsage {
  const { prompt_tokens: input, completion_tokens: output, total_tokens: total } = raw;
  const isInputAlone = (output === undefined || output === null) && typeof input === 'number' && total === input;
  return normalizeUsage(isInputAlone ? { ...raw, completion_tokens: 0 } : raw);
}
