import type { FormRequest } from '../../../body/form-request.ts';
import type { Splice } from '../../../body/splice.ts';
import { splicedPieces } from '../../../body/splice.ts';
import type { CompiledModel } from '../../../snapshot/compiled-model.ts';
import type { Asked } from '../../provider.ts';

/** The form as the application sent it, by the provider's name of the model, without a copy of its files. */
export function prepareForm({ bytes, request }: Asked<FormRequest>, { upstreamModel }: CompiledModel): readonly Buffer[] {
  const splices: Splice[] = request.form.partsOf('model').map(({ start, end }) => ({ start, end, text: upstreamModel }));
  return splicedPieces(bytes, splices);
}
