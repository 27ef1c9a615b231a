import type { Behavior } from './behavior.ts';
import { maximumTokens } from './behavior.ts';
import type { ChatRequest } from './chat-request.ts';
import { textOf } from './chat-request.ts';
import { invalidRequest } from './failures.ts';
import { minimalInstance, SchemaError } from './minimal-instance.ts';
import type { Refused } from './request-reader.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { TokenCounts } from './token-counts.ts';
import { promptTokensOf, splitIntoTokens } from './token-counts.ts';

export type ToolCall = { readonly id: string; readonly name: string; readonly argumentPieces: readonly string[] };

/** What a choice says: text, a refusal, or calls of tools; each piece is one token. */
export type Choice = {
  readonly kind: 'content' | 'refusal' | 'calls';
  readonly pieces: readonly string[];
  readonly calls: readonly ToolCall[];
  readonly finishReason: string | null;
};

/** A whole answer, before it is put into a body or a stream. */
export type Answer = {
  /** The random part of all its ids: endpoints put their own prefix before it. */
  readonly stem: string;
  readonly created: number;
  readonly model: string;
  readonly serviceTier: string;
  readonly systemFingerprint: string;
  readonly choices: readonly Choice[];
  /** Reasoning in words, for providers that show it: a token each, but only the first few of those counted. */
  readonly thoughts: readonly string[];
  readonly usage: TokenCounts;
};

/** Longest message that is echoed, in UTF-16 units: bounds the work on one request. */
const maximumEchoLength = 262_144;
const refusalText = "I'm sorry, but I can't assist with that request.";
const thoughtText = 'The last message says what is wanted, and the answer follows from it.';
const fallbackText = 'There was nothing to echo.';
const words =
  'the quick river counts every small stone and keeps one honest page for each coin that passes under its old bridge at dawn'.split(' ');

function generatedPieces(tokens: number, random: SeededRandom): readonly string[] {
  const pieces: string[] = [];
  for (let index = 0; index < tokens; index++) pieces.push(index === 0 ? 'Once' : ` ${words[random.below(words.length)]}`);
  return pieces;
}

function echoedText(messages: ChatRequest['messages']): string {
  const text = textOf(messages.findLast((message) => message.role === 'user') ?? { role: 'user' }).slice(0, maximumEchoLength);
  return text.trim() === '' ? fallbackText : text.toWellFormed();
}

/** The text of an answer in the format that was asked for, or null where no format was. */
function formattedText(request: ChatRequest): string | null {
  const format = request.response_format;
  if (format?.type === 'json_schema') return JSON.stringify(minimalInstance(format.json_schema?.schema ?? {}));
  if (format?.type === 'json_object') return JSON.stringify({ echo: echoedText(request.messages) });
  return null;
}

type FunctionTool = { readonly name: string; readonly parameters: unknown };

function functionTools(request: ChatRequest): readonly FunctionTool[] {
  return (request.tools ?? []).flatMap((tool) =>
    tool.type === 'function' && tool.function !== undefined
      ? [{ name: tool.function.name, parameters: tool.function.parameters ?? { type: 'object' } }]
      : [],
  );
}

/**
 * Which tools are called. The client's `tool_choice` is obeyed before the behavior; a behavior calls none once results of tools have come
 * in, so that a client's loop of calls and results ends.
 */
function calledTools(request: ChatRequest, behavior: Behavior): readonly FunctionTool[] {
  const tools = functionTools(request);
  const choice = request.tool_choice ?? 'auto';
  if (tools.length === 0 || choice === 'none') return [];
  if (typeof choice === 'object') return tools.filter((tool) => tool.name === choice.function?.name).slice(0, 1);
  const wanted =
    choice === 'required' ? Math.max(1, behavior.toolCalls) : request.messages.at(-1)?.role === 'tool' ? 0 : behavior.toolCalls;
  const length = request.parallel_tool_calls === false ? Math.min(1, wanted) : wanted;
  return Array.from({ length }, (_, index) => tools[index % tools.length]).filter((tool) => tool !== undefined);
}

function composeChoice(request: ChatRequest, behavior: Behavior, tools: readonly FunctionTool[], random: SeededRandom): Choice {
  const asked = request.max_completion_tokens ?? request.max_tokens ?? maximumTokens;
  const limit = Math.min(maximumTokens, Math.max(0, asked - behavior.reasoningTokens - behavior.audioOutputTokens));
  const forced = behavior.finish === 'missing' ? null : behavior.finish;
  const withFinish = (choice: Omit<Choice, 'finishReason'>, natural: string): Choice => ({
    ...choice,
    finishReason: behavior.finish === null ? natural : forced,
  });
  if (tools.length > 0) {
    const calls = tools.map((tool) => ({
      id: `call_${random.letters(24)}`,
      name: tool.name,
      argumentPieces: splitIntoTokens(JSON.stringify(minimalInstance(tool.parameters)), maximumTokens),
    }));
    return withFinish({ kind: 'calls', pieces: [], calls }, typeof request.tool_choice === 'object' ? 'stop' : 'tool_calls');
  }
  const whole = behavior.refuse
    ? splitIntoTokens(refusalText, maximumTokens)
    : behavior.tokens !== null
      ? generatedPieces(Math.min(behavior.tokens, limit + 1), random)
      : splitIntoTokens(formattedText(request) ?? echoedText(request.messages), limit + 1);
  const cut = whole.length > limit;
  return withFinish(
    { kind: behavior.refuse ? 'refusal' : 'content', pieces: cut ? whole.slice(0, limit) : whole, calls: [] },
    cut ? 'length' : 'stop',
  );
}

/** Tokens of a choice that can be seen: its text, or names and arguments of its calls. */
function visibleTokens(choice: Choice): number {
  return choice.pieces.length + choice.calls.reduce((sum, call) => sum + 1 + call.argumentPieces.length, 0);
}

function countPrompt(request: ChatRequest): number {
  let tokens = 3;
  for (const message of request.messages) {
    const parts = typeof message.content === 'object' && message.content !== null ? message.content : [];
    tokens += 4 + promptTokensOf(textOf(message)) + 85 * parts.filter((part) => part.text === undefined).length;
  }
  const tools = request.tools ?? [];
  return tools.length === 0 ? tokens : tokens + promptTokensOf(JSON.stringify(tools));
}

function countTokens(request: ChatRequest, behavior: Behavior, choices: readonly Choice[]): TokenCounts {
  const promptTokens = behavior.promptTokens ?? countPrompt(request) + behavior.audioInputTokens;
  const asked = request.max_completion_tokens ?? request.max_tokens ?? Number.POSITIVE_INFINITY;
  const reasoningTokens = Math.min(behavior.reasoningTokens, asked) * choices.length;
  const audioOutputTokens = behavior.audioOutputTokens * choices.length;
  return {
    promptTokens,
    // A given number is reported as it is, even above the prompt: there are providers that do so.
    cachedTokens: behavior.cachedTokens ?? Math.floor(promptTokens * behavior.cachedShare),
    cacheWriteTokens: behavior.cacheWriteTokens,
    audioInputTokens: behavior.audioInputTokens,
    completionTokens: choices.reduce((sum, choice) => sum + visibleTokens(choice), 0) + reasoningTokens + audioOutputTokens,
    reasoningTokens,
    audioOutputTokens,
  };
}

/**
 * Decides the whole answer to a request. Pure but for `random`; refuses schemas and tool choices it cannot satisfy as OpenAI does.
 * @param formatParameter what the endpoint calls the field that holds the format, for the refusal.
 */
export function composeAnswer(
  request: ChatRequest,
  behavior: Behavior,
  random: SeededRandom,
  createdSeconds: number,
  formatParameter: 'response_format' | 'text.format' = 'response_format',
): Answer | Refused {
  const stem = random.letters(29);
  const tools = calledTools(request, behavior);
  if (typeof request.tool_choice === 'object' && request.tool_choice !== null && tools.length === 0) {
    return { failure: invalidRequest("Invalid value for 'tool_choice': it names no tool in 'tools'.", 'tool_choice') };
  }
  try {
    const choices = Array.from({ length: request.n ?? 1 }, () => composeChoice(request, behavior, tools, random));
    const usage = countTokens(request, behavior, choices);
    const tier = request.service_tier;
    return {
      stem,
      created: createdSeconds,
      model: behavior.answerAs ?? request.model,
      serviceTier: tier === 'flex' || tier === 'priority' ? tier : 'default',
      systemFingerprint: 'fp_simulator',
      choices,
      thoughts: splitIntoTokens(thoughtText, Math.floor(usage.reasoningTokens / choices.length)),
      usage,
    };
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    const param = tools.length > 0 ? 'tools' : formatParameter;
    return { failure: invalidRequest(`Invalid schema in '${param}': ${error.message}.`, param, 'invalid_json_schema') };
  }
}
