import type { RequestSettled } from './request-settled.v1.ts';

/** Tags an event carries at most; the rest is left out and flagged. */
export const MAX_TAGS = 32;
const MAX_FLAGS = 16;
const SHORT = 64;
/** NUL and lone surrogates: legal in a JavaScript string, refused by PostgreSQL's text or not UTF-8 at all. */
const UNSTORABLE = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Whether a text can be stored as it is. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Path of the first text PostgreSQL cannot store, or null. Recursion is as deep as the schema: unknown fields are not entered. */
export function unstorablePath(value: unknown, path: string, depth = 0): string | null {
  if (typeof value === 'string') return isStorable(value) ? null : `${path} has a character that cannot be stored`;
  if (typeof value !== 'object' || value === null || depth > 4) return null;
  for (const [key, item] of Object.entries(value)) {
    if (!isStorable(key)) return `${path} has a key that cannot be stored`;
    const fault = unstorablePath(item, `${path}/${key}`, depth + 1);
    if (fault !== null) return fault;
  }
  return null;
}

/**
 * Brings every field within the bounds of its schema: texts are cut by code points and unstorable characters replaced by
 * U+FFFD, lists cut, counts that are none become null where the schema knows null, else the schema's minimum.
 * Money is never touched. Marks the event `clipped` in `usageFlags`.
 */
export function clipToSchema(event: RequestSettled, schema: unknown): RequestSettled {
  const clipped = clip(event, schema) as RequestSettled;
  const tags = Object.entries(clipped.tags).slice(0, MAX_TAGS);
  return flag({ ...clipped, tags: Object.fromEntries(tags) }, 'clipped');
}

/**
 * What is left out of an event that is too large, in this order and one more at each step, until it fits: an event is never
 * refused for its size. Who, outcome, usage, cost and holds are never touched; with all steps taken the largest event that
 * passes its schema is below the limit, even when every character needs an escape.
 */
export const TRIMMING_STEPS: readonly ((event: RequestSettled) => RequestSettled)[] = [
  (event) => flag({ ...event, rawUsage: null }, 'trimmed_raw_usage'),
  (event) => flag({ ...event, decision: { ...event.decision, candidates: [] } }, 'trimmed_decision'),
  (event) => flag({ ...event, attempts: event.attempts.map(shortAttempt) }, 'trimmed_attempts'),
  (event) =>
    flag({ ...event, tags: Object.fromEntries(Object.entries(event.tags).map(([key, value]) => [key, short(value)])) }, 'trimmed_tags'),
  (event) => ({ ...event, tags: {} }),
  (event) => ({
    ...event,
    attempts: event.attempts.slice(-4),
    modelRequested: shortOrNull(event.modelRequested),
    model: shortOrNull(event.model),
    modelAnswered: shortOrNull(event.modelAnswered),
  }),
];

type AttemptOf = RequestSettled['attempts'][number];

function shortAttempt(attempt: AttemptOf): AttemptOf {
  return {
    ...attempt,
    upstreamModel: short(attempt.upstreamModel),
    errorCode: shortOrNull(attempt.errorCode),
    providerRequestId: shortOrNull(attempt.providerRequestId),
  };
}

function short(text: string): string {
  return cut(text, SHORT);
}

function shortOrNull(text: string | null): string | null {
  return text === null ? null : short(text);
}

/** First `length` code points. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : Array.from(text).slice(0, length).join('');
}

function flag(event: RequestSettled, name: string): RequestSettled {
  if (event.usageFlags.includes(name)) return event;
  return { ...event, usageFlags: [...event.usageFlags.slice(0, MAX_FLAGS - 1), name] };
}

type Bounds = {
  readonly type?: string;
  readonly anyOf?: readonly Bounds[];
  readonly properties?: Readonly<Record<string, Bounds>>;
  readonly patternProperties?: Readonly<Record<string, Bounds>>;
  readonly items?: Bounds;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
};

function clip(value: unknown, schema: unknown): unknown {
  const bounds = schema as Bounds;
  if (bounds.anyOf !== undefined) {
    const nullable = bounds.anyOf.some((member) => member.type === 'null');
    const others = bounds.anyOf.filter((member) => member.type !== 'null');
    const [only] = others;
    if (value === null || others.length !== 1 || only === undefined) return value;
    return nullable && isNumeric(only) && !isWithin(value, only) ? null : clip(value, only);
  }
  if (typeof value === 'string') return cut(value.replace(UNSTORABLE, '\ufffd'), bounds.maxLength ?? Number.POSITIVE_INFINITY);
  if (isNumeric(bounds)) return isWithin(value, bounds) ? value : nearest(value, bounds);
  if (Array.isArray(value)) return value.slice(0, bounds.maxItems).map((item) => clip(item, bounds.items));
  if (typeof value !== 'object' || value === null) return value;
  const [pattern] = Object.values(bounds.patternProperties ?? {});
  if (pattern !== undefined) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [cut(key.replace(UNSTORABLE, '\ufffd'), SHORT), clip(item, pattern)]),
    );
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, clip(item, bounds.properties?.[key] ?? {})]));
}

function isNumeric(bounds: Bounds): boolean {
  return bounds.type === 'integer' || bounds.type === 'number';
}

function isWithin(value: unknown, bounds: Bounds): boolean {
  return (
    typeof value === 'number' &&
    (bounds.type === 'integer' ? Number.isInteger(value) : Number.isFinite(value)) &&
    value >= (bounds.minimum ?? Number.NEGATIVE_INFINITY) &&
    value <= (bounds.maximum ?? Number.POSITIVE_INFINITY)
  );
}

function nearest(value: unknown, bounds: Bounds): number {
  const lowest = bounds.minimum ?? 0;
  const number = typeof value === 'number' && !Number.isNaN(value) ? value : lowest;
  return Math.trunc(Math.min(Math.max(number, lowest), bounds.maximum ?? Number.MAX_SAFE_INTEGER));
}
