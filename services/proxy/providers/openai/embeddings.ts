import type { EmbeddingsRequest } from '../../../../schema/http/embeddings.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import type { Asked } from '../provider.ts';
import { withModel } from './model-in-body.ts';

/** The body as the application sent it, by the provider's name of the model. */
export function prepareEmbeddings({ bytes }: Asked<EmbeddingsRequest>, { upstreamModel }: CompiledModel): Buffer {
  return withModel(bytes, upstreamModel);
}
