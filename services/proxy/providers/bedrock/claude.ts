import type { ClaudeHost } from '../anthropic/claude-host.ts';
import { claudeModel } from '../anthropic/claude-model.ts';

/** What names of its models, of their profiles and of the ARNs of both have in them. A profile of an account's own making is named by a number alone. */
const CLAUDE = 'anthropic.claude';

/** What AWS documents that it takes, under the names that it has there. */
const BETAS: ReadonlyMap<string, string> = new Map([
  ['advanced-tool-use-2025-11-20', 'tool-search-tool-2025-10-19'],
  ...[
    'compact-2026-01-12',
    'computer-use-2024-10-22',
    'computer-use-2025-01-24',
    'computer-use-2025-11-24',
    'context-1m-2025-08-07',
    'context-management-2025-06-27',
    'dev-full-thinking-2025-05-14',
    'fine-grained-tool-streaming-2025-05-14',
    'interleaved-thinking-2025-05-14',
    'output-128k-2025-02-19',
    'thinking-binding-controls-2026-08-01',
    'thinking-display-updates-2026-08-18',
    'token-efficient-tools-2025-02-19',
    'tool-examples-2025-10-29',
    'tool-search-tool-2025-10-19',
  ].map((name) => [name, name] as const),
]);
const EFFORT = 'effort-2025-11-24';

/** Claude on Bedrock, by InvokeModel. */
export const bedrockHost: ClaudeHost = {
  version: 'bedrock-2023-05-31',
  betaOf: (name, model) => {
    // Models that think as they see fit have an effort without asking, and some refuse to be asked.
    if (name === EFFORT) return claudeModel(model).thinking === 'budget' ? EFFORT : null;
    return BETAS.get(name) ?? null;
  },
};

/** Whether it can be told that a model is Claude. */
export function isClaude({ upstreamModel }: { readonly upstreamModel: string }): boolean {
  return upstreamModel.includes(CLAUDE);
}

/** The model itself, without the region of a profile: `anthropic.claude-sonnet-4-5-20250929-v1:0`. */
export function foundationModel(upstreamModel: string): string {
  return upstreamModel.slice(upstreamModel.indexOf(CLAUDE));
}
