import type { Conversation } from '../../conversation/conversation.ts';
import type { NotCarried, ProviderDialect } from '../../conversation/dialect.ts';
import { readGoogleRefusal } from './failure.ts';
import { modelPath, writeGenerateContent } from './request.ts';
import { readGeminiAnswer } from './response.ts';
import { GeminiStreamReader } from './stream.ts';

/** The Gemini API of Google AI Studio, `v1beta`. */
export const geminiDialect: ProviderDialect = {
  writeRequest: (conversation, { upstreamModel }, notCarried) => {
    const body = writeGenerateContent(conversation, upstreamModel, tierMember(conversation, notCarried), notCarried);
    const method = conversation.stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
    return { path: `/models/${modelPath(upstreamModel)}:${method}`, body, headers: [] };
  },
  isStream: (contentType) => contentType.startsWith('text/event-stream'),
  readAnswer: readGeminiAnswer,
  createStreamReader: (sink) => new GeminiStreamReader(sink),
  readRefusal: readGoogleRefusal,
};

const TIERS: ReadonlyMap<string, string> = new Map([
  ['default', 'standard'],
  ['flex', 'flex'],
  ['priority', 'priority'],
]);

function tierMember({ serviceTier }: Conversation, notCarried: NotCarried): string[] {
  if (serviceTier === null || serviceTier === 'auto') return [];
  const tier = TIERS.get(serviceTier);
  if (tier === undefined) notCarried('service_tier');
  return tier === undefined ? [] : [`"serviceTier":"${tier}"`];
}
