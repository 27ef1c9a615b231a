import { openaiDialect } from '../openai/openai-dialect.ts';
import type { Provider } from '../provider.ts';
import { LOST_ON_EMBEDDINGS, prepareMistralChat, prepareMistralEmbeddings } from './request.ts';

/** Mistral refuses every member of a body that it does not know (422). */
export const mistralProvider: Provider = openaiDialect('mistral', {
  serves: ['embeddings', 'transcriptions'],
  prepareChat: prepareMistralChat,
  prepareEmbeddings: prepareMistralEmbeddings,
  lostOnEmbeddings: LOST_ON_EMBEDDINGS,
});
