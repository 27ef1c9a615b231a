import type { Fields } from '../../../body/json-fields.ts';
import { isFields, textOf } from '../../../body/json-fields.ts';
import type { AnswerFacts, AnswerReading } from '../../provider.ts';
import { readErrorMember } from '../failure.ts';
import type { Reading } from '../reading.ts';
import { rawUsageOf, serviceTierOf } from '../response.ts';
import { normalizeResponseUsage, unitsOfResponse } from './usage.ts';

/** What a whole response says about itself; null when the bytes are no JSON object. One that failed is an error, although its status is 200. */
export function readResponse(bytes: Buffer, reading: Reading): AnswerReading | null {
  let response: unknown;
  try {
    response = JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
  if (!isFields(response)) return null;
  const failed = response.status === 'failed' || (response.output === undefined && isFields(response.error));
  return {
    facts: factsOfResponse(response, bytes, reading),
    body: null,
    refusal: failed ? readErrorMember(response.error, bytes, reading.meaningOf) : null,
  };
}

/** @param bytes of the response, from which it was parsed. */
export function factsOfResponse(response: Fields, bytes: Buffer, { readCost }: Reading): AnswerFacts {
  const reported = isFields(response.usage) ? response.usage : null;
  const { usage, flags } = reported === null ? { usage: null, flags: ['usage_missing'] } : normalizeResponseUsage(reported);
  return {
    modelAnswered: textOf(response.model),
    finishReason: finishReasonOf(response),
    usage,
    units: unitsOfResponse(response, reported),
    rawUsage: reported === null ? null : rawUsageOf(bytes),
    usageFlags: flags,
    serviceTier: serviceTierOf(response, reported),
    reportedCostPico: reported === null ? null : readCost(reported),
  };
}

/** In the words of a chat completion, so that the books say the same of both (providers.md section 4); null: it did not come to an end. */
function finishReasonOf({ status, incomplete_details: details, output }: Fields): string | null {
  if (status === 'incomplete') {
    const reason = isFields(details) ? textOf(details.reason) : null;
    return reason === 'max_output_tokens' ? 'length' : reason;
  }
  if (status !== 'completed') return null;
  const calls = Array.isArray(output) && output.some((item) => isFields(item) && item.type === 'function_call');
  return calls ? 'tool_calls' : 'stop';
}
