import type { EmbeddingsRequest } from '../../../../schema/http/embeddings.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import type { AnswerReading, Asked } from '../provider.ts';
import { readErrorMember } from './failure.ts';
import { withModel } from './model-in-body.ts';
import { outerMembers } from './outer-members.ts';
import type { Reading } from './reading.ts';
import { rawUsageOf, serviceTierOf } from './response.ts';
import type { NormalizedUsage } from './usage.ts';
import { normalizeUsage } from './usage.ts';

/** The body as the application sent it, by the provider's name of the model. */
export function prepareEmbeddings({ bytes }: Asked<EmbeddingsRequest>, { upstreamModel }: CompiledModel): Buffer {
  return withModel(bytes, upstreamModel);
}

/** What an answer says besides its vectors, which are not read; null when the bytes are no JSON object. */
export function readEmbeddings(bytes: Buffer, { readCost, meaningOf }: Reading): AnswerReading | null {
  const answer = outerMembers(bytes, 'data');
  if (answer === null) return null;
  const reported = isFields(answer.usage) ? answer.usage : null;
  const { usage, flags } = reported === null ? { usage: null, flags: ['usage_missing'] } : embeddingsUsage(reported);
  const failed = answer.data === undefined && isFields(answer.error);
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
function embeddingsUsage(raw: Fields): NormalizedUsage {
  const { prompt_tokens: input, completion_tokens: output, total_tokens: total } = raw;
  const isInputAlone = (output === undefined || output === null) && typeof input === 'number' && total === input;
  return normalizeUsage(isInputAlone ? { ...raw, completion_tokens: 0 } : raw);
}
