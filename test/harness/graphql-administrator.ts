import { expect } from 'vitest';
import type { TestApi, TestTenant } from './graphql.ts';
import { startTestApi } from './graphql.ts';

/** What every mutation answers. */
export interface CommonPayload {
  readonly errors: readonly { readonly code: string; readonly path: readonly string[] }[];
  readonly replayed: boolean;
  readonly auditEventId: string | null;
  readonly cursor: string | null;
}

const common = 'errors { code path } replayed auditEventId cursor';

/** An organization that is changed through the API by its administrator. */
export type TestAdministrator = AsyncDisposable & {
  readonly api: TestApi;
  readonly tenant: TestTenant;
  /** Runs a mutation with `$input` and the fields asked for besides the common ones. */
  readonly change: <Entity>(field: string, input: Record<string, unknown>, selection: string) => Promise<CommonPayload & Entity>;
  /** A provider of the organization's own, with a name nobody has. */
  readonly makeProvider: (baseUrl?: string) => Promise<{ id: string; name: string }>;
};

/** Starts the API with one organization in it. */
export async function startAdministrator(): Promise<TestAdministrator> {
  const api = await startTestApi();
  const tenant = await api.makeTenant('administered');
  let names = 0;
  const change: TestAdministrator['change'] = async <Entity>(field: string, input: Record<string, unknown>, selection: string) => {
    const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input!`;
    const { data, errors } = await api.ask<Record<string, CommonPayload & Entity>>(
      tenant.adminKey,
      `mutation M($input: ${type}) { ${field}(input: $input) { ${common} ${selection} } }`,
      { input },
    );
    expect(errors).toBeUndefined();
    const payload = data?.[field];
    if (payload === undefined) throw new Error('no payload');
    return payload;
  };
  return {
    api,
    tenant,
    change,
    makeProvider: async (baseUrl = 'https://provider.invalid/v1') => {
      names += 1;
      const input = { idempotencyKey: `provider ${names}`, name: `own${names}`, baseUrl };
      const made = await change<{ provider: { id: string; name: string } }>('providerCreate', input, 'provider { id name }');
      expect(made.errors).toEqual([]);
      return made.provider;
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}
