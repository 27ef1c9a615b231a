import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import { IdFilter, InstantFilter, OutcomeFilter, TagFilter, TextFilter, valuesOf } from './comparators.ts';
import type { NodeName } from './global-id.ts';
import { requireUuid } from './global-id.ts';
import type { FilterableText, RequestFilter } from './ports/request-filter.ts';

interface Comparator {
  readonly eq?: string | null | undefined;
  readonly in?: readonly string[] | null | undefined;
}

interface RequestFilterShape {
  readonly and?: readonly RequestFilterShape[] | null | undefined;
  readonly or?: readonly RequestFilterShape[] | null | undefined;
  readonly not?: RequestFilterShape | null | undefined;
  readonly apiKeyId?: Comparator | null | undefined;
  readonly teamId?: Comparator | null | undefined;
  readonly provider?: Comparator | null | undefined;
  readonly model?: Comparator | null | undefined;
  readonly outcome?: Comparator | null | undefined;
  readonly errorCode?: Comparator | null | undefined;
  readonly stream?: boolean | null | undefined;
  readonly isRated?: boolean | null | undefined;
  readonly occurredAt?: { readonly gte?: Date | null | undefined; readonly lt?: Date | null | undefined } | null | undefined;
  readonly tag?: { readonly key: string; readonly in?: readonly string[] | null | undefined } | null | undefined;
}

/** `requests(filter:)`, `ledger(filter:)` and `requestTail(filter:)`. Fields of one object must all hold. */
export const RequestFilterInput = builder.inputRef<RequestFilterShape>('RequestFilter').implement({
  description: 'All fields given must hold. `and`, `or` and `not` nest at most 3 deep; at most 20 conditions in all.',
  fields: (t) => ({
    and: t.field({ type: [RequestFilterInput] }),
    or: t.field({ type: [RequestFilterInput] }),
    not: t.field({ type: RequestFilterInput }),
    apiKeyId: t.field({ type: IdFilter }),
    teamId: t.field({ type: IdFilter }),
    provider: t.field({ type: TextFilter }),
    model: t.field({ type: TextFilter, description: '`provider/model` as it was chosen.' }),
    outcome: t.field({ type: OutcomeFilter }),
    errorCode: t.field({ type: TextFilter }),
    stream: t.boolean(),
    isRated: t.boolean({ description: 'Whether it has a cost.' }),
    occurredAt: t.field({ type: InstantFilter }),
    tag: t.field({ type: TagFilter }),
  }),
});

const deepest = 3;
const mostConditions = 20;

/** @throws GraphQLError `BAD_USER_INPUT` beyond the bounds or for an id of another type. */
export function parseRequestFilter(shape: RequestFilterShape | null | undefined): RequestFilter | null {
  if (shape == null) return null;
  let conditions = 0;
  const count = <Part>(part: Part): Part => {
    conditions += 1;
    if (conditions > mostConditions) throw badInput(`A filter has at most ${mostConditions} conditions.`);
    return part;
  };
  const parse = (part: RequestFilterShape, depth: number): RequestFilter => {
    if (depth > deepest) throw badInput(`\`and\`, \`or\` and \`not\` nest at most ${deepest} deep.`);
    const parts: RequestFilter[] = [];
    const text = (field: FilterableText, comparator: Comparator | null | undefined, type?: NodeName): void => {
      const values = valuesOf(comparator);
      if (values === null) return;
      parts.push(count({ kind: 'text', field, values: type === undefined ? values : values.map((id) => requireUuid(type, id)) }));
    };
    text('apiKeyId', part.apiKeyId, 'ApiKey');
    text('teamId', part.teamId, 'Team');
    text('provider', part.provider);
    text('model', part.model);
    text('outcome', part.outcome);
    text('errorCode', part.errorCode);
    if (part.stream != null) parts.push(count({ kind: 'stream', value: part.stream }));
    if (part.isRated != null) parts.push(count({ kind: 'rated', value: part.isRated }));
    if (part.occurredAt != null)
      parts.push(count({ kind: 'occurredAt', from: part.occurredAt.gte ?? null, to: part.occurredAt.lt ?? null }));
    if (part.tag != null) parts.push(count({ kind: 'tag', key: part.tag.key, values: part.tag.in ?? null }));
    if (part.and != null) parts.push({ kind: 'and', parts: part.and.map((inner) => parse(inner, depth + 1)) });
    if (part.or != null) parts.push({ kind: 'or', parts: part.or.map((inner) => parse(inner, depth + 1)) });
    if (part.not != null) parts.push({ kind: 'not', part: parse(part.not, depth + 1) });
    return { kind: 'and', parts };
  };
  return parse(shape, 0);
}
