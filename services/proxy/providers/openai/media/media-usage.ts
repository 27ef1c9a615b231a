import type { UnitUsage } from '../../../../../schema/values/token-usage.ts';
import type { Fields } from '../../../body/json-fields.ts';
import type { AnswerFacts } from '../../provider.ts';
import { NO_FACTS } from '../../provider.ts';
import type { Reading } from '../reading.ts';
import { normalizeResponseUsage } from '../responses/usage.ts';

/**
 * What a usage object of pictures or sound says: tokens, or seconds of sound (`type: duration`). Mistral tells both and bills the seconds: its tokens are no
 * classes of ours then, and stand in the raw usage alone.
 */
export function readMediaUsage(usage: Fields, { readCost }: Reading): AnswerFacts {
  const reportedCostPico = readCost(usage);
  const seconds = usage.type === 'duration' ? usage.seconds : usage.prompt_audio_seconds;
  if (usage.type === 'duration' || typeof seconds === 'number') {
    const isTime = typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0;
    return isTime
      ? { ...NO_FACTS, reportedCostPico, units: { ...NO_UNITS, audioSeconds: seconds } }
      : { ...NO_FACTS, reportedCostPico, usageFlags: ['usage_invalid'] };
  }
  // Transcripts spell it without its plural.
  const details = usage.input_tokens_details ?? usage.input_token_details;
  const { usage: tokens, flags } = normalizeResponseUsage({ ...usage, input_tokens_details: details });
  return { ...NO_FACTS, reportedCostPico, usage: tokens, usageFlags: flags };
}

export const NO_UNITS: UnitUsage = { searches: null, images: null, audioSeconds: null };
