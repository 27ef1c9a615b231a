import type { Static } from 'typebox';
import { Type } from 'typebox';
import { PlainFailure } from '../../runtime/start-refusal.ts';
import type { AskApi } from '../api/ask-api.ts';

const OptionalText = Type.Union([Type.String(), Type.Null()]);
const State = Type.Union([Type.Literal('OPEN'), Type.Literal('RETRYING'), Type.Literal('POSTED'), Type.Literal('DISCARDED')]);
export type State = Static<typeof State>;

/** A dead letter without what its record holds. */
export const DeadLetter = Type.Object({
  id: Type.String(),
  state: State,
  reason: Type.String(),
  detail: Type.String(),
  organizationId: OptionalText,
  topic: Type.String(),
  partition: Type.Integer(),
  /** Decimal text. */
  offset: Type.String(),
  recordedAt: Type.String(),
  hasSubject: Type.Boolean(),
  size: Type.Integer(),
  sha256: Type.String(),
  retries: Type.Integer(),
  retryRequestedAt: OptionalText,
  retriedAt: OptionalText,
  retryReason: OptionalText,
  retryDetail: OptionalText,
  closedAt: OptionalText,
  requestId: OptionalText,
  discardReason: OptionalText,
});
export type DeadLetter = Static<typeof DeadLetter>;

/** The same with its record; `subject` only where it was asked for. */
export const WholeDeadLetter = Type.Intersect([
  DeadLetter,
  Type.Object({
    key: OptionalText,
    headers: Type.Array(Type.Object({ name: Type.String(), value: Type.String() })),
    /** Base64. */
    value: OptionalText,
    subject: Type.Optional(OptionalText),
  }),
]);
export type WholeDeadLetter = Static<typeof WholeDeadLetter>;

/** The selection that gives a {@link DeadLetter}. */
const facts = `id state reason detail organizationId topic partition offset recordedAt hasSubject size sha256
  retries retryRequestedAt retriedAt retryReason retryDetail closedAt requestId discardReason`;

/** Which letters are meant; null does not narrow. */
export type Filter = {
  readonly states: readonly State[];
  readonly reasons: readonly string[] | null;
  /** `org_…`, or `none` for those that no organization could be read from. */
  readonly organization: string | null;
  /** RFC 3339. */
  readonly since: string | null;
};

const Page = Type.Object({
  deadLetters: Type.Object({
    nodes: Type.Array(DeadLetter),
    pageInfo: Type.Object({
      hasNextPage: Type.Boolean(),
      endCursor: OptionalText,
      hasPreviousPage: Type.Boolean(),
      startCursor: OptionalText,
    }),
  }),
});
const pageSize = 100;

/** Letters that match, newest first or oldest first; at most `limit` of them, and whether there are more. */
export async function findDeadLetters(
  ask: AskApi,
  filter: Filter,
  { limit, oldestFirst }: { readonly limit: number; readonly oldestFirst: boolean },
): Promise<{ readonly letters: readonly DeadLetter[]; readonly more: boolean }> {
  const operation = `query DeadLetters($filter: DeadLetterFilter, $first: Int, $after: String, $last: Int, $before: String) {
    deadLetters(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      nodes { ${facts} } pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
    }
  }`;
  const letters: DeadLetter[] = [];
  let place: string | null = null;
  for (;;) {
    const count = Math.min(pageSize, limit - letters.length);
    const page: Readonly<Record<string, unknown>> = oldestFirst ? { last: count, before: place } : { first: count, after: place };
    const { deadLetters } = await ask(Page, operation, { ...page, filter: filterInput(filter) });
    const { pageInfo, nodes } = deadLetters;
    letters.push(...(oldestFirst ? nodes.reverse() : nodes));
    const more = oldestFirst ? pageInfo.hasPreviousPage : pageInfo.hasNextPage;
    place = oldestFirst ? pageInfo.startCursor : pageInfo.endCursor;
    if (!more || letters.length >= limit) return { letters, more };
  }
}

function filterInput({ states, reasons, organization, since }: Filter): Readonly<Record<string, unknown>> {
  return {
    state: { in: states },
    ...(reasons === null ? {} : { reason: { in: reasons } }),
    ...(organization === null ? {} : organization === 'none' ? { hasOrganization: false } : { organizationId: organization }),
    ...(since === null ? {} : { recordedAt: { gte: since } }),
  };
}

const Errors = Type.Array(Type.Object({ code: Type.String(), message: Type.String() }));

/** Runs `deadLetterRetry` or `deadLetterDiscard`. @returns null where it was done, else why it was refused. */
export async function act(
  ask: AskApi,
  field: 'deadLetterRetry' | 'deadLetterDiscard',
  input: { readonly idempotencyKey: string; readonly id: string; readonly reason?: string },
): Promise<string | null> {
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input!`;
  const operation = `mutation Act($input: ${type}) { act: ${field}(input: $input) { errors { code message } } }`;
  const { act: payload } = await ask(Type.Object({ act: Type.Object({ errors: Errors }) }), operation, { input });
  return payload.errors.length === 0 ? null : payload.errors.map(({ message }) => message).join(' ');
}

/** Letters as they are now, by id; at most 100. */
export async function readDeadLetters(ask: AskApi, ids: readonly string[]): Promise<ReadonlyMap<string, DeadLetter>> {
  const operation = `query Letters($ids: [ID!]!) { nodes(ids: $ids) { ... on DeadLetter { ${facts} } } }`;
  const { nodes } = await ask(Type.Object({ nodes: Type.Array(Type.Union([DeadLetter, Type.Null()])) }), operation, { ids });
  return new Map(nodes.flatMap((letter) => (letter === null ? [] : [[letter.id, letter] as const])));
}

/** One letter with its record. @throws PlainFailure where there is none. */
export async function readWholeDeadLetter(ask: AskApi, id: string, withSubject: boolean): Promise<WholeDeadLetter> {
  const selection = `${facts} key headers { name value } value ${withSubject ? 'subject' : ''}`;
  const operation = `query Letter($id: ID!) { deadLetter(id: $id) { ${selection} } }`;
  const { deadLetter } = await ask(Type.Object({ deadLetter: Type.Union([WholeDeadLetter, Type.Null()]) }), operation, { id });
  if (deadLetter === null) throw new PlainFailure(`There is no dead letter ${id}.`);
  return deadLetter;
}
