import type { MultipartForm } from '../../../body/multipart-form.ts';
import type { SentBody } from '../../../body/sent-body.ts';
import type { Splice } from '../../../body/splice.ts';
import { spliced } from '../../../body/splice.ts';
import type { CompiledModel } from '../../../snapshot/compiled-model.ts';

/** The form as the application sent it, by the provider's name of the model. @param bytes of the whole form. */
export function prepareForm(form: MultipartForm, bytes: Buffer, { upstreamModel }: CompiledModel): SentBody {
  const splices: Splice[] = form.partsOf('model').map(({ start, end }) => ({ start, end, text: upstreamModel }));
  return spliced(bytes, splices);
}
