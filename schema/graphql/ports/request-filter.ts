/** Fields that are compared as text; ids are uuids. */
export type FilterableText = 'apiKeyId' | 'teamId' | 'provider' | 'model' | 'outcome' | 'errorCode';

/** Which requests are meant: the same tree is asked of the ledger as SQL and of live events in memory. */
export type RequestFilter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly RequestFilter[] }
  | { readonly kind: 'not'; readonly part: RequestFilter }
  | { readonly kind: 'text'; readonly field: FilterableText; readonly values: readonly string[] }
  | { readonly kind: 'stream'; readonly value: boolean }
  | { readonly kind: 'rated'; readonly value: boolean }
  | { readonly kind: 'occurredAt'; readonly from: Date | null; readonly to: Date | null }
  /** With no values: the tag is set, whatever it says. */
  | { readonly kind: 'tag'; readonly key: string; readonly values: readonly string[] | null };
