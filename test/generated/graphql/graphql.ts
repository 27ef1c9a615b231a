/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
export type ApiKeyCreateInput = {
  /** At most 64 blocks of addresses such as `10.0.0.0/8` or `2001:db8::/32`; null: from everywhere. */
  allowedCidrs?: Array<string> | null | undefined;
  /** Such as `/v1/chat/completions`; null: every endpoint. */
  allowedEndpoints?: Array<string> | null | undefined;
  /** `provider/model`, `provider/*`, `route/name` or `route/*`; null: every model. */
  allowedModels?: Array<string> | null | undefined;
  /** What its requests may decide by a header; null or empty: nothing. */
  allowedOverrides?: Array<RequestOverride> | null | undefined;
  environment?: KeyEnvironment;
  expiresAt?: string | null | undefined;
  /** Chosen by you, 1 to 255 characters. The same key and input within 48 hours give the same answer and change nothing more. */
  idempotencyKey: string;
  /** MODEL, SERVICE_ACCOUNT or ADMIN. */
  kind?: ApiKeyKind;
  metadata?: Array<NameValueInput> | null | undefined;
  name: string;
  /** Another organization, where the key administers the installation. */
  organizationId?: string | null | undefined;
  /** Of an admin key; at most those of the key that asks. */
  permissions?: Array<string> | null | undefined;
  /** How often the key wants a new secret, `PT1H` to `P400D`; null: never. */
  rotateEvery?: string | null | undefined;
  /** How long a secret works on once the next is due, at most `P400D`; null: until there is one. */
  rotateWithin?: string | null | undefined;
  /** Whose key it is: of kind SERVICE_ACCOUNT, and only of it. */
  serviceAccountId?: string | null | undefined;
  tags?: Array<NameValueInput> | null | undefined;
  teamId?: string | null | undefined;
  /** Whose key it is, where it is a person. */
  userId?: string | null | undefined;
};

export type ApiKeyKind =
  /** Calls this API, never models. */
  | 'ADMIN'
  /** Calls models through the proxy. */
  | 'MODEL'
  /** Calls models as a person. */
  | 'PERSONAL'
  /** Calls models as a service account. */
  | 'SERVICE_ACCOUNT';

export type ApiKeyStatus =
  | 'ACTIVE'
  | 'DISABLED'
  | 'EXPIRED'
  | 'REVOKED';

/** ISO 4217. */
export type CurrencyCode =
  | 'USD';

export type Dimension =
  | 'API_KEY'
  | 'MODEL'
  | 'OUTCOME'
  | 'PROVIDER'
  | 'ROUTE'
  | 'SERVICE_ACCOUNT'
  | 'TAG'
  | 'TEAM'
  | 'USER';

export type IdFilter = {
  eq?: string | null | undefined;
  in?: Array<string> | null | undefined;
};

export type InstantFilter = {
  /** From this instant on. */
  gte?: string | null | undefined;
  /** Before this instant. */
  lt?: string | null | undefined;
};

export type KeyEnvironment =
  | 'LIVE'
  | 'TEST';

export type LedgerEntryKind =
  | 'ADJUSTMENT'
  | 'CREDIT'
  /** What a provider billed above the hold. */
  | 'OVERRUN'
  /** Takes another entry back. */
  | 'REVERSAL'
  /** What a request used. */
  | 'USAGE';

export type NameValueInput = {
  name: string;
  value: string;
};

/** How a request ended. */
export type Outcome =
  | 'BLOCKED'
  | 'CACHED'
  | 'CANCELLED'
  | 'FAILED'
  | 'ORPHANED'
  | 'REJECTED'
  | 'SUCCEEDED';

export type OutcomeFilter = {
  eq?: Outcome | null | undefined;
  in?: Array<Outcome> | null | undefined;
};

/** All fields given must hold. `and`, `or` and `not` nest at most 3 deep; at most 20 conditions in all. */
export type RequestFilter = {
  and?: Array<RequestFilter> | null | undefined;
  apiKeyId?: IdFilter | null | undefined;
  errorCode?: TextFilter | null | undefined;
  /** Whether it has a cost. */
  isRated?: boolean | null | undefined;
  /** `provider/model` as it was chosen. */
  model?: TextFilter | null | undefined;
  not?: RequestFilter | null | undefined;
  occurredAt?: InstantFilter | null | undefined;
  or?: Array<RequestFilter> | null | undefined;
  outcome?: OutcomeFilter | null | undefined;
  provider?: TextFilter | null | undefined;
  stream?: boolean | null | undefined;
  tag?: TagFilter | null | undefined;
  teamId?: IdFilter | null | undefined;
};

/** What a request may decide for itself by a header, where its key allows it. */
export type RequestOverride =
  /** `x-turnpike-stream-timeout`: how many seconds a stream may take to its first event, 1 to 3600. */
  | 'STREAM_TIMEOUT'
  /** `x-turnpike-timeout`: how many seconds the whole of it may take, 1 to 3600. */
  | 'TIMEOUT';

/** Why events are missing, or why a stream ends. */
export type StreamReason =
  /** End: the key is no longer good. Do not come back with it. */
  | 'AUTH_REVOKED'
  /** Gap: the journal was restored; positions of before mean nothing now. */
  | 'EPOCH_CHANGED'
  /** Gap: the cursor is older than what is kept for resuming. */
  | 'EXPIRED'
  /** End: the server stops. Come back with `resumeAfter`. */
  | 'SERVER_DRAIN'
  /** You read more slowly than events came. */
  | 'SLOW_CONSUMER'
  /** End: the key has expired. */
  | 'TOKEN_EXPIRED';

export type TagFilter = {
  /** Any of these values; left out: the tag is set at all. */
  in?: Array<string> | null | undefined;
  key: string;
};

export type TextFilter = {
  eq?: string | null | undefined;
  in?: Array<string> | null | undefined;
};

/** All fields given must hold. */
export type UsageFilter = {
  apiKeyId?: IdFilter | null | undefined;
  model?: TextFilter | null | undefined;
  outcome?: OutcomeFilter | null | undefined;
  provider?: TextFilter | null | undefined;
  routeId?: IdFilter | null | undefined;
  serviceAccountId?: IdFilter | null | undefined;
  /** Only an activated tag key has rollups. */
  tag?: TagFilter | null | undefined;
  teamId?: IdFilter | null | undefined;
  userId?: IdFilter | null | undefined;
};

export type UsageGroupBy = {
  dimension: Dimension;
  /** Of dimension TAG: an activated tag key. */
  tagKey?: string | null | undefined;
};

export type UsageInterval =
  | 'DAY'
  | 'HOUR'
  | 'MINUTE';

export type LatestRequestsQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
  filter?: RequestFilter | null | undefined;
}>;


export type LatestRequestsQuery = { requests: { nodes: Array<{ id: string, seq: string | null, occurredAt: string, outcome: Outcome, model: string | null, stream: boolean, unrated: string | null, cost: { amount: string, currency: CurrencyCode } | null, tokens: { input: string | null, cacheRead: string | null, output: string | null, reasoning: string | null, total: string | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type LedgerPageQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type LedgerPageQuery = { ledger: { nodes: Array<{ id: string, seq: string | null, kind: LedgerEntryKind, requestId: string, amount: { amount: string } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type UsageTotalQueryVariables = Exact<{
  from: string;
  to?: string | null | undefined;
  interval: UsageInterval;
  groupBy: Array<UsageGroupBy> | UsageGroupBy;
  filter?: UsageFilter | null | undefined;
  topN: number;
}>;


export type UsageTotalQuery = { usage: { truncated: boolean, isPartial: boolean, dataThrough: string, totals: { requests: string, succeeded: string, failed: string, unrated: string, latencyP50: string | null, latencyP95: string | null, cost: { amount: string }, tokens: { input: string | null, output: string | null, reasoning: string | null, total: string | null } }, groups: Array<{ isOther: boolean, key: Array<{ dimension: Dimension, value: string | null }>, totals: { requests: string, succeeded: string, failed: string, unrated: string, latencyP50: string | null, latencyP95: string | null, cost: { amount: string }, tokens: { input: string | null, output: string | null, reasoning: string | null, total: string | null } } }>, buckets: Array<{ start: string, partial: boolean, totals: { requests: string, succeeded: string, failed: string, unrated: string, latencyP50: string | null, latencyP95: string | null, cost: { amount: string }, tokens: { input: string | null, output: string | null, reasoning: string | null, total: string | null } } | null, series: Array<{ isOther: boolean, key: Array<{ value: string | null }>, totals: { requests: string, succeeded: string, failed: string, unrated: string, latencyP50: string | null, latencyP95: string | null, cost: { amount: string }, tokens: { input: string | null, output: string | null, reasoning: string | null, total: string | null } } }> }> } };

export type SumsFragment = { requests: string, succeeded: string, failed: string, unrated: string, latencyP50: string | null, latencyP95: string | null, cost: { amount: string }, tokens: { input: string | null, output: string | null, reasoning: string | null, total: string | null } };

export type CreateApiKeyMutationVariables = Exact<{
  input: ApiKeyCreateInput;
}>;


export type CreateApiKeyMutation = { apiKeyCreate: { secret: string | null, replayed: boolean, auditEventId: string | null, cursor: string | null, apiKey: { id: string, version: number, status: ApiKeyStatus } | null, errors: Array<
      | { code: string, message: string, path: Array<string> }
      | { code: string, message: string, path: Array<string> }
      | { code: string, message: string, path: Array<string> }
      | { code: string, message: string, path: Array<string> }
      | { code: string, message: string, path: Array<string> }
      | { code: string, message: string, path: Array<string> }
      | { code: string, message: string, path: Array<string> }
    > } };

export type RequestTailSubscriptionVariables = Exact<{
  filter: RequestFilter;
  after?: string | null | undefined;
  sampleRate?: number;
}>;


export type RequestTailSubscription = { requestTail:
    | { __typename: 'RequestBooked', cursor: string, seq: string, request: { id: string } }
    | { __typename: 'StreamEnd', reason: StreamReason, resumeAfter: string | null }
    | { __typename: 'StreamGap', from: string | null, to: string, reason: StreamReason, dropped: string | null, refetch: boolean }
    | { __typename: 'StreamHeartbeat', cursor: string, lagMs: number }
   };

export type UsageTicksSubscriptionVariables = Exact<{
  filter: UsageFilter;
  groupBy: Array<UsageGroupBy> | UsageGroupBy;
  interval: string;
  after?: string | null | undefined;
}>;


export type UsageTicksSubscription = { usageTicks:
    | { __typename: 'StreamEnd', reason: StreamReason }
    | { __typename: 'StreamGap' }
    | { __typename: 'StreamHeartbeat', cursor: string }
    | { __typename: 'UsageTick', cursor: string, since: string, totals: { requests: string, cost: { amount: string } }, groups: Array<{ isOther: boolean, key: Array<{ value: string | null }>, totals: { requests: string } }> }
   };

export const SumsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"Sums"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UsageTotals"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requests"}},{"kind":"Field","name":{"kind":"Name","value":"succeeded"}},{"kind":"Field","name":{"kind":"Name","value":"failed"}},{"kind":"Field","name":{"kind":"Name","value":"unrated"}},{"kind":"Field","name":{"kind":"Name","value":"cost"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"amount"}}]}},{"kind":"Field","name":{"kind":"Name","value":"tokens"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"input"}},{"kind":"Field","name":{"kind":"Name","value":"output"}},{"kind":"Field","name":{"kind":"Name","value":"reasoning"}},{"kind":"Field","name":{"kind":"Name","value":"total"}}]}},{"kind":"Field","name":{"kind":"Name","value":"latencyP50"}},{"kind":"Field","name":{"kind":"Name","value":"latencyP95"}}]}}]} as unknown as DocumentNode<SumsFragment, unknown>;
export const LatestRequestsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"LatestRequests"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"RequestFilter"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requests"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"seq"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"outcome"}},{"kind":"Field","name":{"kind":"Name","value":"model"}},{"kind":"Field","name":{"kind":"Name","value":"stream"}},{"kind":"Field","name":{"kind":"Name","value":"cost"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"amount"}},{"kind":"Field","name":{"kind":"Name","value":"currency"}}]}},{"kind":"Field","name":{"kind":"Name","value":"unrated"}},{"kind":"Field","name":{"kind":"Name","value":"tokens"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"input"}},{"kind":"Field","name":{"kind":"Name","value":"cacheRead"}},{"kind":"Field","name":{"kind":"Name","value":"output"}},{"kind":"Field","name":{"kind":"Name","value":"reasoning"}},{"kind":"Field","name":{"kind":"Name","value":"total"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}}]} as unknown as DocumentNode<LatestRequestsQuery, LatestRequestsQueryVariables>;
export const LedgerPageDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"LedgerPage"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"ledger"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"seq"}},{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"requestId"}},{"kind":"Field","name":{"kind":"Name","value":"amount"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"amount"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}}]} as unknown as DocumentNode<LedgerPageQuery, LedgerPageQueryVariables>;
export const UsageTotalDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"UsageTotal"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"from"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"DateTime"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"to"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"DateTime"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"interval"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UsageInterval"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"groupBy"}},"type":{"kind":"NonNullType","type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UsageGroupBy"}}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"UsageFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"topN"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"usage"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"range"},"value":{"kind":"ObjectValue","fields":[{"kind":"ObjectField","name":{"kind":"Name","value":"from"},"value":{"kind":"Variable","name":{"kind":"Name","value":"from"}}},{"kind":"ObjectField","name":{"kind":"Name","value":"to"},"value":{"kind":"Variable","name":{"kind":"Name","value":"to"}}}]}},{"kind":"Argument","name":{"kind":"Name","value":"interval"},"value":{"kind":"Variable","name":{"kind":"Name","value":"interval"}}},{"kind":"Argument","name":{"kind":"Name","value":"groupBy"},"value":{"kind":"Variable","name":{"kind":"Name","value":"groupBy"}}},{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"topN"},"value":{"kind":"Variable","name":{"kind":"Name","value":"topN"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"totals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"Sums"}}]}},{"kind":"Field","name":{"kind":"Name","value":"groups"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"isOther"}},{"kind":"Field","name":{"kind":"Name","value":"key"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"dimension"}},{"kind":"Field","name":{"kind":"Name","value":"value"}}]}},{"kind":"Field","name":{"kind":"Name","value":"totals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"Sums"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"buckets"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"start"}},{"kind":"Field","name":{"kind":"Name","value":"partial"}},{"kind":"Field","name":{"kind":"Name","value":"totals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"Sums"}}]}},{"kind":"Field","name":{"kind":"Name","value":"series"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"isOther"}},{"kind":"Field","name":{"kind":"Name","value":"key"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"value"}}]}},{"kind":"Field","name":{"kind":"Name","value":"totals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"Sums"}}]}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"truncated"}},{"kind":"Field","name":{"kind":"Name","value":"isPartial"}},{"kind":"Field","name":{"kind":"Name","value":"dataThrough"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"Sums"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UsageTotals"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requests"}},{"kind":"Field","name":{"kind":"Name","value":"succeeded"}},{"kind":"Field","name":{"kind":"Name","value":"failed"}},{"kind":"Field","name":{"kind":"Name","value":"unrated"}},{"kind":"Field","name":{"kind":"Name","value":"cost"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"amount"}}]}},{"kind":"Field","name":{"kind":"Name","value":"tokens"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"input"}},{"kind":"Field","name":{"kind":"Name","value":"output"}},{"kind":"Field","name":{"kind":"Name","value":"reasoning"}},{"kind":"Field","name":{"kind":"Name","value":"total"}}]}},{"kind":"Field","name":{"kind":"Name","value":"latencyP50"}},{"kind":"Field","name":{"kind":"Name","value":"latencyP95"}}]}}]} as unknown as DocumentNode<UsageTotalQuery, UsageTotalQueryVariables>;
export const CreateApiKeyDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CreateApiKey"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ApiKeyCreateInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"apiKeyCreate"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"secret"}},{"kind":"Field","name":{"kind":"Name","value":"replayed"}},{"kind":"Field","name":{"kind":"Name","value":"auditEventId"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"apiKey"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"status"}}]}},{"kind":"Field","name":{"kind":"Name","value":"errors"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"path"}}]}}]}}]}}]} as unknown as DocumentNode<CreateApiKeyMutation, CreateApiKeyMutationVariables>;
export const RequestTailDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"RequestTail"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"RequestFilter"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"sampleRate"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Float"}}},"defaultValue":{"kind":"IntValue","value":"1"}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requestTail"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"sampleRate"},"value":{"kind":"Variable","name":{"kind":"Name","value":"sampleRate"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"RequestBooked"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"seq"}},{"kind":"Field","name":{"kind":"Name","value":"request"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StreamHeartbeat"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"lagMs"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StreamGap"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"from"}},{"kind":"Field","name":{"kind":"Name","value":"to"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}},{"kind":"Field","name":{"kind":"Name","value":"dropped"}},{"kind":"Field","name":{"kind":"Name","value":"refetch"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StreamEnd"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}},{"kind":"Field","name":{"kind":"Name","value":"resumeAfter"}}]}}]}}]}}]} as unknown as DocumentNode<RequestTailSubscription, RequestTailSubscriptionVariables>;
export const UsageTicksDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"UsageTicks"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UsageFilter"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"groupBy"}},"type":{"kind":"NonNullType","type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UsageGroupBy"}}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"interval"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Duration"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"usageTicks"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"groupBy"},"value":{"kind":"Variable","name":{"kind":"Name","value":"groupBy"}}},{"kind":"Argument","name":{"kind":"Name","value":"interval"},"value":{"kind":"Variable","name":{"kind":"Name","value":"interval"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UsageTick"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"since"}},{"kind":"Field","name":{"kind":"Name","value":"totals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requests"}},{"kind":"Field","name":{"kind":"Name","value":"cost"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"amount"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"groups"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"isOther"}},{"kind":"Field","name":{"kind":"Name","value":"key"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"value"}}]}},{"kind":"Field","name":{"kind":"Name","value":"totals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requests"}}]}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StreamHeartbeat"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StreamEnd"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}}]}}]}}]} as unknown as DocumentNode<UsageTicksSubscription, UsageTicksSubscriptionVariables>;