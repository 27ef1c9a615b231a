import type { ResponsesRequest } from '../../../../../schema/http/responses.ts';
import { jsonMembers } from '../../../body/json-members.ts';
import type { SentBody } from '../../../body/sent-body.ts';
import type { Splice } from '../../../body/splice.ts';
import { spliced } from '../../../body/splice.ts';
import type { CompiledModel } from '../../../snapshot/compiled-model.ts';
import type { Asked } from '../../provider.ts';
import { modelSplices, withModel } from '../model-in-body.ts';

const LIMIT = 'max_output_tokens';

/** The body for the provider: the application's own bytes with `model` replaced, and where one is given the limit of the answer. Every other byte stays. */
export function prepareResponse(
  { bytes, request, outputTokens }: Asked<ResponsesRequest>,
  { upstreamModel }: Pick<CompiledModel, 'upstreamModel'>,
): SentBody {
  if (outputTokens === null) return withModel(bytes, upstreamModel);
  const splices = [...modelSplices(bytes, upstreamModel), ...limitSplices(bytes, request, outputTokens)];
  return spliced(
    bytes,
    splices.sort((left, right) => left.start - right.start),
  );
}

function limitSplices(bytes: Buffer, request: ResponsesRequest, tokens: number): Splice[] {
  if (request.max_output_tokens === undefined) {
    const open = bytes.indexOf('{') + 1;
    return [{ start: open, end: open, text: `"${LIMIT}":${tokens},` }];
  }
  // One that is there without a value is replaced, since of two nobody knows which one counts.
  return (jsonMembers(bytes) ?? []).flatMap(({ key, start, end }) => (key === LIMIT ? [{ start, end, text: String(tokens) }] : []));
}
