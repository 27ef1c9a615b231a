import { errorKinds } from './failures.ts';
import type { UsageShape } from './usage-shape.ts';
import { usageShapes } from './usage-shape.ts';

/** Milliseconds, drawn evenly between both ends. */
export type DurationRange = { readonly fromMs: number; readonly toMs: number };

/** How far an answer goes before something happens to it: nothing at all, or this many stream events. */
export type Point = 'before' | number;

/** How the simulator treats a request. Every field has an option of the same meaning, see README. */
export type Behavior = {
  readonly firstToken: DurationRange;
  readonly betweenTokens: DurationRange;
  /** Length of a generated answer, or null to echo the last user message. */
  readonly tokens: number | null;
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  /** Part of the prompt that is cached, 0 to 1; used where `cachedTokens` is null. */
  readonly cachedShare: number;
  readonly cacheWriteTokens: number | null;
  readonly reasoningTokens: number;
  readonly audioInputTokens: number;
  readonly audioOutputTokens: number;
  /** `asked`: as OpenAI does. `none`: never, not even when asked. `unasked`: on the last chunk with choices, asked or not. */
  readonly usage: 'asked' | 'none' | 'unasked';
  /** The provider whose form of usage and of chunks is imitated. */
  readonly usageShape: UsageShape;
  /** Tool calls to answer with when the request offers tools and leaves the choice open. */
  readonly toolCalls: number;
  readonly refuse: boolean;
  /** Null: whatever follows from the answer. `missing`: the field is left null to the end. */
  readonly finish: 'stop' | 'length' | 'content_filter' | 'missing' | null;
  /** The model named in the answer, or null for the one asked for. */
  readonly answerAs: string | null;
  readonly error: string | null;
  readonly retryAfterSeconds: number;
  /** Part of the requests, 0 to 1, that fail in one of `failKinds`. */
  readonly failShare: number;
  readonly failKinds: readonly string[];
  readonly disconnect: Point | null;
  /** `close` closes the connection once everything before has left; `reset` kills it; `end` ends the body in good order, without `[DONE]`. */
  readonly disconnectBy: 'close' | 'reset' | 'end';
  readonly stall: Point | null;
  readonly stallMs: number;
  readonly malformedAt: number | null;
  readonly errorAfter: number | null;
  /** Size of the pieces in which bytes are written, or null to write events whole. */
  readonly splitBytes: number | null;
  readonly newline: '\n' | '\r\n';
  readonly comments: boolean;
  /** Compress when the client accepts it. */
  readonly gzip: boolean;
};

/** An answer at once, without incident. */
export const plainBehavior: Behavior = {
  firstToken: { fromMs: 0, toMs: 0 },
  betweenTokens: { fromMs: 0, toMs: 0 },
  tokens: null,
  promptTokens: null,
  cachedTokens: null,
  cachedShare: 0,
  cacheWriteTokens: null,
  reasoningTokens: 0,
  audioInputTokens: 0,
  audioOutputTokens: 0,
  usage: 'asked',
  usageShape: 'openai',
  toolCalls: 0,
  refuse: false,
  finish: null,
  answerAs: null,
  error: null,
  retryAfterSeconds: 1,
  failShare: 0,
  failKinds: ['500', '429', 'disconnect'],
  disconnect: null,
  disconnectBy: 'close',
  stall: null,
  stallMs: 60_000,
  malformedAt: null,
  errorAfter: null,
  splitBytes: null,
  newline: '\n',
  comments: false,
  gzip: false,
};

/** An option that cannot be understood. The message is meant for whoever wrote it. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

/** Longest answer, in tokens: bounds the memory of one request. */
export const maximumTokens = 16_384;
const maximumWaitMs = 600_000;
const maximumCount = 1_000_000_000;

function number(text: string, least: number, most: number): number {
  const value = Number(text);
  if (text === '' || !(value >= least && value <= most))
    throw new OptionError(`expected a number from ${least} to ${most}, found "${text}"`);
  return value;
}

function integer(text: string, least: number, most: number): number {
  const value = number(text, least, most);
  if (!Number.isInteger(value)) throw new OptionError(`expected a whole number, found "${text}"`);
  return value;
}

function choice<Value extends string>(text: string, values: readonly Value[]): Value {
  const value = values.find((candidate) => candidate === text);
  if (value === undefined) throw new OptionError(`expected one of ${values.join(', ')}, found "${text}"`);
  return value;
}

function range(text: string): DurationRange {
  const [from = '', to = from] = text.split('..');
  const fromMs = number(from, 0, maximumWaitMs);
  return { fromMs, toMs: number(to, fromMs, maximumWaitMs) };
}

const count = (text: string): number => integer(text, 0, maximumCount);
const share = (text: string): number => number(text, 0, 1);
const flag = (text: string): boolean => choice(text, ['on', 'off']) === 'on';
const point = (text: string): Point => (text === 'before' ? text : integer(text, 0, maximumCount));
const everyTokenMs = (perSecond: number): DurationRange => ({ fromMs: 1000 / perSecond, toMs: 1000 / perSecond });

/** A shape brings its framing along: Perplexity ends lines with CRLF, OpenRouter sends comments. Options after it may undo that. */
function usageShape(text: string): Partial<Behavior> {
  const shape = choice(text, usageShapes);
  if (shape === 'perplexity') return { usageShape: shape, newline: '\r\n' };
  return shape === 'openrouter' ? { usageShape: shape, comments: true } : { usageShape: shape };
}

const finishes = ['stop', 'length', 'content_filter', 'missing'] as const;

/** Everything `fail-kinds` may list: an error, or a connection broken before the answer or within it. */
const failureKinds: readonly string[] = [...errorKinds, 'disconnect', 'disconnect-mid'];

/** One reader an option: what the text changes about a behavior. */
const options: Readonly<Record<string, (text: string) => Partial<Behavior>>> = {
  'ttft-ms': (text) => ({ firstToken: range(text) }),
  'token-ms': (text) => ({ betweenTokens: range(text) }),
  rate: (text) => ({ betweenTokens: everyTokenMs(number(text, 0.01, 1_000_000)) }),
  tokens: (text) => ({ tokens: text === 'echo' ? null : integer(text, 0, maximumTokens) }),
  'prompt-tokens': (text) => ({ promptTokens: count(text) }),
  'cached-tokens': (text) => ({ cachedTokens: count(text) }),
  'cached-share': (text) => ({ cachedShare: share(text) }),
  'cache-write-tokens': (text) => ({ cacheWriteTokens: count(text) }),
  'reasoning-tokens': (text) => ({ reasoningTokens: count(text) }),
  'audio-input-tokens': (text) => ({ audioInputTokens: count(text) }),
  'audio-output-tokens': (text) => ({ audioOutputTokens: count(text) }),
  usage: (text) => ({ usage: choice(text, ['asked', 'none', 'unasked']) }),
  'usage-shape': usageShape,
  'tool-calls': (text) => ({ toolCalls: integer(text, 0, 128) }),
  refuse: (text) => ({ refuse: flag(text) }),
  finish: (text) => ({ finish: choice<(typeof finishes)[number]>(text, finishes) }),
  'answer-as': (text) => ({ answerAs: text }),
  error: (text) => ({ error: text === 'none' ? null : choice(text, errorKinds) }),
  'retry-after': (text) => ({ retryAfterSeconds: number(text, 0, 86_400) }),
  'fail-share': (text) => ({ failShare: share(text) }),
  'fail-kinds': (text) => ({ failKinds: text.split(',').map((kind) => choice(kind.trim(), failureKinds)) }),
  disconnect: (text) => ({ disconnect: point(text) }),
  'disconnect-by': (text) => ({ disconnectBy: choice(text, ['close', 'reset', 'end']) }),
  stall: (text) => ({ stall: point(text) }),
  'stall-ms': (text) => ({ stallMs: number(text, 0, maximumWaitMs) }),
  'malformed-at': (text) => ({ malformedAt: count(text) }),
  'error-after': (text) => ({ errorAfter: count(text) }),
  split: (text) => ({ splitBytes: integer(text, 1, 65_536) }),
  newline: (text) => ({ newline: choice(text, ['lf', 'crlf']) === 'lf' ? '\n' : '\r\n' }),
  comments: (text) => ({ comments: flag(text) }),
  gzip: (text) => ({ gzip: flag(text) }),
};

/** The names of all options, for error messages and for the test that README lists each. */
export const optionNames: readonly string[] = Object.keys(options);

/**
 * Refines a behavior by one option.
 * @throws OptionError naming the option where it is unknown or has a value it cannot have.
 */
export function refineByOption(behavior: Behavior, name: string, text: string): Behavior {
  const read = Object.hasOwn(options, name) ? options[name] : undefined;
  if (read === undefined) throw new OptionError(`unknown option "${name}"; the options are ${optionNames.join(', ')}`);
  try {
    return { ...behavior, ...read(text) };
  } catch (cause) {
    throw cause instanceof OptionError ? new OptionError(`option "${name}": ${cause.message}`, { cause }) : cause;
  }
}

/**
 * Refines a behavior by text like `ttft-ms=20..80; tokens=50`. Later options win; blanks around names and values do not count.
 * @throws OptionError naming the option that is unknown or has a value it cannot have.
 */
export function refineBehavior(behavior: Behavior, text: string): Behavior {
  let refined = behavior;
  for (const part of text.split(';')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim();
    refined = refineByOption(refined, name, equals < 0 ? '' : part.slice(equals + 1).trim());
  }
  return refined;
}
