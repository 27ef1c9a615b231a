import type { ResponsesRequest } from '../../../../../schema/http/responses.ts';
import { jsonMembers } from '../../../body/json-members.ts';
import type { Splice } from '../../../body/splice.ts';
import { spliced } from '../../../body/splice.ts';
import type { CompiledModel } from '../../../snapshot/compiled-model.ts';
import type { Asked } from '../../provider.ts';
import { withModel } from '../model-in-body.ts';

const LIMIT = 'max_output_tokens';

/** The body for the provider: the application's own bytes with `model` replaced, and where one is given the limit of the answer. Every other byte stays. */
export function prepareResponse(
  { bytes, request, outputTokens }: Asked<ResponsesRequest>,
  { upstreamModel }: Pick<CompiledModel, 'upstreamModel'>,
): Buffer {
  const named = withModel(bytes, upstreamModel);
  return outputTokens === null ? named : withLimit(named, request, outputTokens);
}

function withLimit(bytes: Buffer, request: ResponsesRequest, tokens: number): Buffer {
  const splices: Splice[] = [];
  if (request.max_output_tokens === undefined) {
    const open = bytes.indexOf('{') + 1;
    splices.push({ start: open, end: open, text: `"${LIMIT}":${tokens},` });
  } else {
    // One that is there without a value is replaced, since of two nobody knows which one counts.
    for (const { key, start, end } of jsonMembers(bytes) ?? []) if (key === LIMIT) splices.push({ start, end, text: String(tokens) });
  }
  return spliced(bytes, splices);
}
