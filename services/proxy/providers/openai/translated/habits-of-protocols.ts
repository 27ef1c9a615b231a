import type { ProviderProtocol } from '../../../../../schema/values/provider-protocol.ts';
import { mistralCallId } from '../../mistral/call-id.ts';
import { mistralPart } from '../../mistral/part.ts';
import type { ChatHabits } from './chat-habits.ts';

/** By the documentation of each; who is not here is as OpenAI. */
export const HABITS: Partial<Record<ProviderProtocol, ChatHabits>> = {
  deepseek: {
    lacks: ['json_schema', 'n', 'parallel_tool_calls', 'seed', 'service_tier', 'top_k', 'user'],
    reasoning: 'thinking',
    thinking: 'reasoning_content',
    textLists: false,
  },
  fireworks: { thinking: 'reasoning_content' },
  groq: { lacks: ['logprobs', 'n', 'top_k'], thinking: 'reasoning' },
  huggingface: { lacks: ['parallel_tool_calls', 'service_tier', 'top_k', 'user'] },
  // It refuses every member that it does not know (422).
  mistral: {
    lacks: ['logprobs', 'service_tier', 'top_k', 'user'],
    seed: 'random_seed',
    asksUsage: false,
    thinking: 'parts',
    part: mistralPart,
    callId: mistralCallId,
  },
  ollama: { lacks: ['n', 'parallel_tool_calls', 'service_tier', 'tool_choice', 'top_k', 'user'], thinking: 'reasoning' },
  openrouter: { reasoning: 'reasoning', thinking: 'reasoning_details', cacheMarks: true },
  perplexity: {
    lacks: ['logprobs', 'n', 'parallel_tool_calls', 'seed', 'service_tier', 'stop', 'tool_choice', 'tools', 'user'],
  },
  together: { lacks: ['service_tier', 'user'] },
  xai: { lacks: ['service_tier', 'top_k'], thinking: 'reasoning_content' },
};
