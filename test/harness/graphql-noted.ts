import type { Answer, TestApi } from './graphql.ts';
import { fieldsAskedIn } from './graphql-everything.ts';
import type { SseStream } from './graphql-sse.ts';
import { openSse } from './graphql-sse.ts';

/** An API of which it is known afterwards what it was asked for, and what it had an answer to; both as `Type.field`. */
export interface NotedApi {
  readonly asked: ReadonlySet<string>;
  readonly answered: ReadonlySet<string>;
  /** Sends an operation. */
  readonly ask: <Data = Record<string, never>>(key: string, query: string) => Promise<Answer<Data>>;
  /** Opens a subscription. */
  readonly open: (key: string, query: string) => Promise<SseStream>;
  /** Takes note of what came otherwise, such as the messages of a stream. */
  readonly noteAnswer: (value: unknown) => void;
}

/** Takes note of every operation that is sent through it. */
export function createNotedApi(api: TestApi): NotedApi {
  const asked = new Set<string>();
  const answered = new Set<string>();
  const noteQuery = (query: string): void => {
    for (const field of fieldsAskedIn(query)) asked.add(field);
  };
  const noteAnswer = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const type = '__typename' in value ? String(value.__typename) : null;
    for (const [name, member] of Object.entries(value)) {
      if (type !== null && member !== null && !(Array.isArray(member) && member.length === 0)) answered.add(`${type}.${name}`);
      noteAnswer(member);
    }
  };
  return {
    asked,
    answered,
    noteAnswer,
    ask: async <Data = Record<string, never>>(key: string, query: string) => {
      noteQuery(query);
      const answer = await api.ask<Data>(key, query);
      noteAnswer(answer.data);
      return answer;
    },
    open: (key, query) => {
      noteQuery(query);
      return openSse(api.graphqlUrl, key, query);
    },
  };
}
