/**
 * A request to a language model in nobody's words: what every dialect that an application speaks is read into, and every dialect of a provider is
 * written from (issue 8). It carries what at least two dialects can say. What a dialect says beyond it is no part of it: its reader names that, and
 * `x-turnpike-warning` tells the application. Null: the request does not say.
 */
export interface Conversation {
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | null;
  readonly parallelToolCalls: boolean | null;
  /** Of each choice. */
  readonly maxOutputTokens: number | null;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly frequencyPenalty: number | null;
  readonly presencePenalty: number | null;
  readonly seed: number | null;
  readonly stopSequences: readonly string[];
  /** Answers asked for, at least 1. */
  readonly choices: number;
  /** How many alternatives of each token are told, 0 = only the chosen one. */
  readonly logprobs: number | null;
  readonly reasoning: ReasoningWish | null;
  readonly outputFormat: OutputFormat;
  /** As OpenAI names it: `auto`, `default`, `flex`, `priority`. */
  readonly serviceTier: string | null;
  readonly endUser: string | null;
  readonly stream: boolean;
}

/**
 * One turn. Neighbors may have the same role; whose dialect wants them to alternate joins them. Instructions may stand anywhere, as in OpenAI's dialect.
 * The result of a tool is said by the user, as in Anthropic's; neighboring `tool` messages of OpenAI's are one turn.
 */
export type Turn =
  | { readonly role: 'instructions'; readonly parts: readonly TextPart[] }
  | { readonly role: 'user'; readonly parts: readonly UserPart[] }
  | { readonly role: 'assistant'; readonly parts: readonly AssistantPart[] };

export type UserPart = TextPart | ImagePart | AudioPart | DocumentPart | ToolResultPart;
export type AssistantPart = TextPart | ThinkingPart | RedactedThinkingPart | ToolCallPart | RefusalPart;

export interface TextPart {
  readonly kind: 'text';
  readonly text: string;
  readonly cache: CacheMark | null;
}

export interface ImagePart {
  readonly kind: 'image';
  readonly source: Source;
  readonly detail: string | null;
  readonly cache: CacheMark | null;
}

export interface AudioPart {
  readonly kind: 'audio';
  /** Base64. */
  readonly data: string;
  /** As OpenAI names it: `wav`, `mp3`. */
  readonly format: string;
}

export interface DocumentPart {
  readonly kind: 'document';
  readonly source: Source | { readonly kind: 'text'; readonly text: string };
  readonly title: string | null;
  readonly cache: CacheMark | null;
}

export interface ToolResultPart {
  readonly kind: 'tool_result';
  readonly callId: string;
  /** Where the dialect names it; else it is the name of the call with that id. */
  readonly toolName: string | null;
  readonly parts: readonly (TextPart | ImagePart | DocumentPart)[];
  readonly isError: boolean;
  readonly cache: CacheMark | null;
}

export interface ToolCallPart {
  readonly kind: 'tool_call';
  readonly callId: string;
  readonly name: string;
  /** JSON of an object, as text so that numbers keep their digits; `{}` for a call without arguments. */
  readonly input: string;
  /** What proves to its provider that it thought before it called (Gemini). */
  readonly signature: string | null;
  readonly cache: CacheMark | null;
}

export interface ThinkingPart {
  readonly kind: 'thinking';
  readonly text: string;
  readonly signature: string | null;
}

export interface RedactedThinkingPart {
  readonly kind: 'redacted_thinking';
  readonly data: string;
}

export interface RefusalPart {
  readonly kind: 'refusal';
  readonly text: string;
}

/** Where the bytes of a picture or a document are. */
export type Source =
  | { readonly kind: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly kind: 'url'; readonly url: string; readonly mediaType: string | null }
  | { readonly kind: 'file'; readonly id: string };

/** The provider is to keep everything up to here. */
export interface CacheMark {
  readonly ttl: '5m' | '1h' | null;
}

/** A function of the application's. */
export interface Tool {
  readonly name: string;
  readonly description: string | null;
  /** JSON Schema of its arguments; null: it has none. */
  readonly parameters: unknown;
  readonly strict: boolean | null;
  readonly cache: CacheMark | null;
}

export type ToolChoice = { readonly kind: 'auto' | 'none' | 'required' } | { readonly kind: 'tool'; readonly name: string };

/** How much thinking is wanted. */
export interface ReasoningWish {
  /** As OpenAI names it: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`. */
  readonly effort: string | null;
  readonly budgetTokens: number | null;
  /** Whether the application wants to read it. */
  readonly visible: boolean | null;
}

export type OutputFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | { readonly kind: 'json_schema'; readonly name: string; readonly schema: unknown; readonly strict: boolean | null };
