import type { Conversation, Tool } from '../../conversation/conversation.ts';

/**
 * The tools that were called in a conversation, by their names, since nothing else is known of them here. Converse refuses a conversation with calls in a
 * request without tools; OpenAI's dialect, and Anthropic's, take it.
 */
export function calledTools(turns: Conversation['turns']): Tool[] {
  const calls = turns.flatMap((turn) => (turn.role === 'assistant' ? turn.parts.filter((part) => part.kind === 'tool_call') : []));
  const names = new Set(calls.map(({ name }) => name));
  return [...names].map((name) => ({ name, description: null, parameters: null, strict: null, cache: null }));
}
