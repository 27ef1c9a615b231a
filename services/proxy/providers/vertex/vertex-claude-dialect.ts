import type { ProviderDialect } from '../../conversation/dialect.ts';
import { anthropicDialect } from '../anthropic/anthropic-dialect.ts';
import { writeMessagesRequest } from '../anthropic/request.ts';
import { readGoogleRefusal } from '../gemini/failure.ts';
import { claudePath, isAnthropicsError, vertexHost } from './claude.ts';

/** A version stands where the model does elsewhere. */
const ENVELOPE = [`"anthropic_version":"${vertexHost.version}"`];

/** Claude on Vertex AI, for applications that speak another dialect than its own. */
export const vertexClaudeDialect: ProviderDialect = {
  ...anthropicDialect,
  writeRequest: (conversation, target, notCarried) => ({
    path: claudePath(target.upstreamModel, conversation.stream),
    body: writeMessagesRequest(conversation, target, ENVELOPE, notCarried),
    headers: [],
  }),
  readRefusal: (status, headers, body) =>
    isAnthropicsError(body) ? anthropicDialect.readRefusal(status, headers, body) : readGoogleRefusal(status, headers, body),
};
