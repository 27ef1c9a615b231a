import type { Conversation } from '../../conversation/conversation.ts';
import type { NotCarried, ProviderDialect } from '../../conversation/dialect.ts';
import { geminiDialect } from '../gemini/gemini-dialect.ts';
import { modelPath, writeGenerateContent } from '../gemini/request.ts';

/** Gemini on Vertex AI: the same bodies as the Gemini API's elsewhere; what tier serves a request is asked for by a header. */
export const vertexGeminiDialect: ProviderDialect = {
  ...geminiDialect,
  writeRequest: (conversation, { upstreamModel }, notCarried) => {
    const method = conversation.stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
    return {
      path: `/publishers/google/models/${modelPath(upstreamModel)}:${method}`,
      body: writeGenerateContent(conversation, upstreamModel, [], notCarried),
      headers: tierHeaders(conversation, notCarried),
    };
  },
};

function tierHeaders({ serviceTier }: Conversation, notCarried: NotCarried): readonly string[] {
  if (serviceTier === null || serviceTier === 'auto' || serviceTier === 'default') return [];
  if (serviceTier === 'flex' || serviceTier === 'priority') return ['x-vertex-ai-llm-shared-request-type', serviceTier];
  notCarried('service_tier');
  return [];
}
