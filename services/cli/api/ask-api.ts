import { setTimeout as pause } from 'node:timers/promises';
import type { Static, TSchema } from 'typebox';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { PlainFailure } from '../../runtime/start-refusal.ts';
import type { ApiAccess } from './api-access.ts';

/** Runs one operation and gives its `data`, which must be of the schema. @throws PlainFailure that says what went wrong. */
export type AskApi = <Schema extends TSchema>(schema: Schema, operation: string, variables?: Variables) => Promise<Static<Schema>>;
export type Variables = Readonly<Record<string, unknown>>;

const Answer = Type.Object({
  data: Type.Optional(Type.Unknown()),
  errors: Type.Optional(
    Type.Array(
      Type.Object({
        message: Type.String(),
        extensions: Type.Optional(Type.Object({ code: Type.Optional(Type.String()), retryAfterMs: Type.Optional(Type.Number()) })),
      }),
    ),
  ),
});
type Answer = Static<typeof Answer>;

const timeoutMs = 15_000;
/** How long the API may ask us to wait, all in all: a long list of acts is allowed to be slow, not to hang. */
const patienceMs = 120_000;
const longestWaitMs = 10_000;

/** Asks a GraphQL API by POST. Where it says that too much was asked, the same operation is sent again when it says so. */
export function createAskApi({ graphqlUrl, adminKey }: ApiAccess): AskApi {
  return async (schema, operation, variables = {}) => {
    for (let waitedMs = 0; ; ) {
      const answer = await send(graphqlUrl, adminKey, JSON.stringify({ query: operation, variables }));
      const throttled = answer.errors?.find(({ extensions }) => extensions?.code === 'THROTTLED');
      if (throttled === undefined || waitedMs > patienceMs) return dataOf(schema, answer, graphqlUrl);
      const waitMs = Math.min(Math.max(throttled.extensions?.retryAfterMs ?? 1_000, 50), longestWaitMs);
      waitedMs += waitMs;
      await pause(waitMs);
    }
  };
}

function dataOf<Schema extends TSchema>(schema: Schema, { data, errors = [] }: Answer, url: string): Static<Schema> {
  if (errors.length > 0) throw new PlainFailure(errors.map(({ message }) => message).join('\n'));
  if (!Value.Check(schema, data)) throw new PlainFailure(`${url} does not answer as this version does: is it an older or newer turnpike?`);
  return data;
}

async function send(url: string, key: string, body: string): Promise<Answer> {
  let text: string;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', authorization: `Bearer ${key}` },
      body,
      // A redirect would take the key elsewhere.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    text = await response.text();
  } catch (error) {
    throw new PlainFailure(`No API answers at ${url}: ${whyOf(error)}. Is it running?`, { cause: error });
  }
  const answer = parseJson(text);
  if (!Value.Check(Answer, answer) || (answer.data === undefined && answer.errors === undefined))
    throw new PlainFailure(`What answers at ${url} is no GraphQL API of turnpike.`);
  return answer;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `fetch` says only that it failed; why is in its cause, and of several addresses tried in the first of its errors. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `nothing came within ${timeoutMs / 1_000} s`;
  const { cause } = error;
  const inner: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  if (!(inner instanceof Error)) return error.message;
  return 'code' in inner && typeof inner.code === 'string' ? inner.code : inner.message;
}
