import type { FormRequest } from '../../../body/form-request.ts';
import type { SentBody } from '../../../body/sent-body.ts';
import type { Splice } from '../../../body/splice.ts';
import { spliced } from '../../../body/splice.ts';
import type { CompiledModel } from '../../../snapshot/compiled-model.ts';
import type { Asked } from '../../provider.ts';

/** The form as the application sent it, by the provider's name of the model. */
export function prepareForm({ bytes, request }: Asked<FormRequest>, { upstreamModel }: CompiledModel): SentBody {
  const splices: Splice[] = request.form.partsOf('model').map(({ start, end }) => ({ start, end, text: upstreamModel }));
  return spliced(bytes, splices);
}
