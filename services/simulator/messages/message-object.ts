import type { Answer, Choice } from '../answer.ts';
import type { TokenCounts, ToldCounts } from '../token-counts.ts';
import { toldCounts } from '../token-counts.ts';

const STOP_REASONS: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
};

export function messageId({ stem }: Answer): string {
  return `msg_${stem}`;
}

/** What ends a message; null where the behavior keeps it to itself. */
export function endingOf(choice: Choice): {
  readonly stop_reason: string | null;
  readonly stop_sequence: null;
  readonly stop_details: object | null;
} {
  const natural =
    choice.kind === 'calls' && choice.finishReason === 'stop' ? 'tool_use' : (STOP_REASONS[choice.finishReason ?? ''] ?? null);
  const refuses = choice.kind === 'refusal' && natural !== null;
  return {
    stop_reason: refuses ? 'refusal' : natural,
    stop_sequence: null,
    stop_details: refuses ? { type: 'refusal', category: null, explanation: choice.pieces.join('') } : null,
  };
}

/** Usage as Anthropic tells it: cached tokens stand outside of the input, thinking within the output. */
export function messageUsage(usage: TokenCounts): object {
  const written = usage.cacheWriteTokens ?? 0;
  return {
    input_tokens: Math.max(0, usage.promptTokens - usage.cachedTokens - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: usage.cachedTokens,
    cache_creation: { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: 0 },
    output_tokens: usage.completionTokens,
    ...(usage.reasoningTokens === 0 ? {} : { output_tokens_details: { thinking_tokens: usage.reasoningTokens } }),
    service_tier: 'standard',
  };
}

/** What it says of the counts: there is no audio in it. */
export function toldOfMessage(usage: TokenCounts): ToldCounts {
  return toldCounts(usage, ['promptTokens', 'cachedTokens', 'cacheWriteTokens', 'completionTokens', 'reasoningTokens']);
}

/** The message with the given content, or as it stands at its beginning. */
export function messageObject(answer: Answer, content: readonly object[], ending: object, usage: object | null): object {
  const { model } = answer;
  return { id: messageId(answer), type: 'message', role: 'assistant', model, content, ...ending, ...(usage === null ? {} : { usage }) };
}

/** Blocks of a whole message. A refusal has none: its words stand in how it ended. */
export function contentOf(answer: Answer, choice: Choice): object[] {
  const blocks: object[] = [];
  if (answer.thoughts.length > 0) blocks.push({ type: 'thinking', thinking: answer.thoughts.join(''), signature: `sig_${answer.stem}` });
  if (choice.kind === 'content' && choice.pieces.length > 0) blocks.push({ type: 'text', text: choice.pieces.join('') });
  for (const { id, name, argumentPieces } of choice.calls) {
    blocks.push({ type: 'tool_use', id: toolUseId(id), name, input: JSON.parse(argumentPieces.join('')) });
  }
  return blocks;
}

export function toolUseId(callId: string): string {
  return callId.replace(/^call_/, 'toolu_');
}
