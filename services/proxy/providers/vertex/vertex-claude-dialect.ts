import type { ProviderDialect } from '../../conversation/dialect.ts';
import { anthropicDialect } from '../anthropic/anthropic-dialect.ts';
import { writeMessagesRequest } from '../anthropic/request.ts';
import { readGoogleRefusal } from '../gemini/failure.ts';
import { modelPath } from '../gemini/request.ts';

/** Anthropic's bodies, at a path of Google's that names the model; a version stands where the model does elsewhere. */
const ENVELOPE = ['"anthropic_version":"vertex-2023-10-16"'];
const ANTHROPICS_ERROR = /^\s*\{\s*"type"\s*:\s*"error"/;

/** Claude on Vertex AI. What Google refuses before Anthropic's model is asked, it refuses in its own words. */
export const vertexClaudeDialect: ProviderDialect = {
  ...anthropicDialect,
  writeRequest: (conversation, target, notCarried) => ({
    path: `/publishers/anthropic/models/${modelPath(target.upstreamModel)}:${conversation.stream ? 'streamRawPredict' : 'rawPredict'}`,
    body: writeMessagesRequest(conversation, target, ENVELOPE, notCarried),
    headers: [],
  }),
  readRefusal: (status, headers, body) =>
    ANTHROPICS_ERROR.test(body.toString('utf8', 0, 64))
      ? anthropicDialect.readRefusal(status, headers, body)
      : readGoogleRefusal(status, headers, body),
};
