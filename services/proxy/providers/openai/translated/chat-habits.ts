import type { ToolResultPart, UserPart } from '../../../conversation/conversation.ts';
import type { CompiledModel } from '../../../snapshot/compiled-model.ts';
import { isOpenai } from '../output-limit-field.ts';

/** In what those that take chat completions differ, where a request is written for them; what is left out is as most have it. */
export interface ChatHabits {
  /** Members that the provider refuses or ignores. They stay out of the body, and are told as not carried. */
  readonly lacks?: readonly ChatMember[];
  /** What a seed is called: `seed`. */
  readonly seed?: 'random_seed';
  /** False where it reports usage in every stream and refuses to be asked. */
  readonly asksUsage?: boolean;
  /** How much thinking is wanted: by an effort, by OpenRouter's `reasoning`, or by DeepSeek's `thinking` beside the effort. */
  readonly reasoning?: 'reasoning' | 'thinking';
  /** How thinking is given back to whom it came from: not at all. */
  readonly thinking?: 'reasoning_content' | 'reasoning' | 'reasoning_details' | 'parts';
  /** Whether it takes `cache_control` on parts and tools. */
  readonly cacheMarks?: boolean;
  /** False where a text has to be one string. */
  readonly textLists?: boolean;
  /** A part of a message as the provider takes it, where that is not as OpenAI has it; null: it is. */
  readonly part?: (part: SaidPart) => object | null;
  /** The id of a call as the provider takes it, where it does not take any. */
  readonly callId?: (id: string) => string;
}

/** What a user says, in parts of which a message consists. */
export type SaidPart = Exclude<UserPart, ToolResultPart>;

export type ChatMember =
  | 'json_schema'
  | 'logprobs'
  | 'n'
  | 'parallel_tool_calls'
  | 'seed'
  | 'service_tier'
  | 'stop'
  | 'tool_choice'
  | 'tools'
  | 'top_k'
  | 'user';

/** Whether a member goes out to a target. OpenAI itself, of all that speak its dialect, refuses `top_k`. */
export function takesMember({ lacks = [] }: ChatHabits, name: ChatMember, { provider }: CompiledModel): boolean {
  return !lacks.includes(name) && !(name === 'top_k' && isOpenai(provider));
}
