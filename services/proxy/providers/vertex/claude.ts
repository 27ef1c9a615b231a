import type { ClaudeHost } from '../anthropic/claude-host.ts';
import { modelPath } from '../gemini/request.ts';

/** What Google documents that it takes, or was seen to, under the names that it has there. */
const BETAS: ReadonlyMap<string, string> = new Map([
  ['advanced-tool-use-2025-11-20', 'tool-search-tool-2025-10-19'],
  ...[
    'compact-2026-01-12',
    'computer-use-2025-01-24',
    'computer-use-2025-11-24',
    'context-1m-2025-08-07',
    'context-management-2025-06-27',
    'interleaved-thinking-2025-05-14',
    'thinking-binding-controls-2026-08-01',
    'thinking-display-updates-2026-08-18',
    'tool-search-tool-2025-10-19',
    'web-search-2025-03-05',
  ].map((name) => [name, name] as const),
]);
const MODELS = '/publishers/anthropic/models/';
const ANTHROPICS_ERROR = /^\s*\{\s*"type"\s*:\s*"error"/;

/** Claude on Vertex AI: Anthropic's bodies at paths of Google's, which name the model. */
export const vertexHost: ClaudeHost = { version: 'vertex-2023-10-16', betaOf: (name) => BETAS.get(name) ?? null };

/** Where counts are made, whatever the model. */
export const COUNT_PATH = `${MODELS}count-tokens:rawPredict`;

export function claudePath(upstreamModel: string, isStream: boolean): string {
  return `${MODELS}${modelPath(upstreamModel)}:${isStream ? 'streamRawPredict' : 'rawPredict'}`;
}

/** What Google refuses before Anthropic's model is asked, it refuses in its own words. */
export function isAnthropicsError(body: Buffer): boolean {
  return ANTHROPICS_ERROR.test(body.toString('utf8', 0, 64));
}
