import { badInput } from '../../../schema/graphql/bad-input.ts';
import type { ProviderSettings, UpstreamChanges } from '../../../schema/graphql/ports/upstream-changes.ts';
import type { ProviderProtocol } from '../../../schema/values/provider-protocol.ts';
import type { Change } from '../../registry/change.ts';
import {
  archiveCredential,
  createCredential,
  readCredentialSecret,
  recordVerification,
  renameCredential,
  rotateCredential,
} from '../../registry/credentials.ts';
import { setModelPrice } from '../../registry/model-prices.ts';
import { archiveModel, createModel, updateModel } from '../../registry/models.ts';
import { archiveProvider, createProvider, updateProvider } from '../../registry/providers.ts';
import type { ProviderOptions } from '../../registry/snapshot.ts';
import type { Secrets } from '../../runtime/secrets.ts';
import { requireIdempotencyKey, requireName } from './input-checks.ts';
import { priceSheetOf } from './price-sheet-input.ts';
import type { RunChange, Written } from './run-change.ts';

/** Tries a credential with its provider; null where it was let in, else why not. */
export type VerifyCredential = (
  provider: { readonly protocol: ProviderProtocol; readonly baseUrl: string; readonly options: ProviderOptions },
  secret: string,
) => Promise<string | null>;

/** Rows are read again after the commit, through the eyes of the reader. */
const written = (entityId: string, auditEventId: string): Written<null> => ({ entityId, row: null, auditEventId });

function optionsOf(settings: Partial<ProviderSettings>): ProviderOptions {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null && value !== undefined));
}

/** What an update leaves out stays as it is. Who may not change the provider is refused by the write that follows. */
async function mergedOptions(change: Change, id: string, settings: Partial<ProviderSettings>): Promise<ProviderOptions> {
  const kept = await change.trx
    .selectFrom('providers')
    .select('options')
    .where('id', '=', id)
    .where('organization_id', '=', change.organizationId)
    .forUpdate()
    .executeTakeFirst();
  return optionsOf({ ...kept?.options, ...settings });
}

/** Counts of tokens: whole numbers that the registry holds to its bounds. */
function tokensOf(count: bigint | null): number | null {
  if (count === null) return null;
  if (count < 1n || count > 1_000_000_000n) throw badInput('A limit is from 1 to 1,000,000,000 tokens.');
  return Number(count);
}

/** The changes of one viewer to what the organization calls. */
export function createUpstreamChanges(options: {
  readonly run: RunChange;
  /** uuid. */
  readonly organizationId: string;
  readonly secrets: Secrets;
  readonly verify: VerifyCredential;
}): UpstreamChanges {
  const { run, organizationId, secrets, verify } = options;
  /** Tells two secrets apart in a kept request without keeping anything of them. */
  const told = (secret: string): string => secrets.hashKey(secret).toString('base64url');

  return {
    providerCreate: ({ idempotencyKey, settings, ...input }) =>
      run(
        {
          field: 'providerCreate',
          idempotencyKey: requireIdempotencyKey(idempotencyKey),
          input: { ...input, settings },
          organizationId,
          target: null,
        },
        async (change) => {
          const { provider, auditEventId } = await createProvider(change, { ...input, options: optionsOf(settings) });
          return written(provider.id, auditEventId);
        },
      ),
    providerUpdate: ({ settings, ...input }) =>
      run(
        { field: 'providerUpdate', idempotencyKey: null, input, organizationId, target: { type: 'Provider', id: input.id } },
        async (change) => {
          const replaced = Object.keys(settings).length === 0 ? {} : { options: await mergedOptions(change, input.id, settings) };
          const { provider, auditEventId } = await updateProvider(change, { ...input, ...replaced });
          return written(provider.id, auditEventId);
        },
      ),
    providerArchive: (input) =>
      run(
        { field: 'providerArchive', idempotencyKey: null, input, organizationId, target: { type: 'Provider', id: input.id } },
        async (change) => {
          const { provider, auditEventId } = await archiveProvider(change, input);
          return written(provider.id, auditEventId);
        },
      ),
    providerCredentialCreate: ({ idempotencyKey, providerId, name, secret }) => {
      const input = { providerId, name: requireName(name) };
      return run(
        {
          field: 'providerCredentialCreate',
          idempotencyKey: requireIdempotencyKey(idempotencyKey),
          input: { ...input, secret: told(secret) },
          organizationId,
          target: null,
        },
        async (change) => {
          const { credential, auditEventId } = await createCredential(change, { ...input, secret }, secrets);
          return written(credential.id, auditEventId);
        },
      );
    },
    providerCredentialRotate: ({ idempotencyKey, secret, ...input }) =>
      run(
        {
          field: 'providerCredentialRotate',
          idempotencyKey: requireIdempotencyKey(idempotencyKey),
          input: { ...input, secret: told(secret) },
          organizationId,
          target: { type: 'ProviderCredential', id: input.id },
        },
        async (change) => {
          const { credential, auditEventId } = await rotateCredential(change, { ...input, secret }, secrets);
          return written(credential.id, auditEventId);
        },
      ),
    providerCredentialUpdate: ({ id, expectedVersion, name }) => {
      const input = { id, expectedVersion, name: requireName(name) };
      return run(
        { field: 'providerCredentialUpdate', idempotencyKey: null, input, organizationId, target: { type: 'ProviderCredential', id } },
        async (change) => {
          const { credential, auditEventId } = await renameCredential(change, input);
          return written(credential.id, auditEventId);
        },
      );
    },
    providerCredentialRevoke: (input) =>
      run(
        {
          field: 'providerCredentialRevoke',
          idempotencyKey: null,
          input,
          organizationId,
          target: { type: 'ProviderCredential', id: input.id },
        },
        async (change) => {
          const { credential, auditEventId } = await archiveCredential(change, input);
          return written(credential.id, auditEventId);
        },
      ),
    providerCredentialVerify: async ({ idempotencyKey, id }) => {
      const key = requireIdempotencyKey(idempotencyKey);
      const request = { field: 'providerCredentialVerify', input: { id }, organizationId, target: null };
      const found = await run({ ...request, idempotencyKey: null }, async (change) => ({
        entityId: id,
        row: await readCredentialSecret(change, { id }, secrets),
        auditEventId: null,
      }));
      if (found.row === null) return { ...found, row: null };
      // Between two transactions: no connection to the database waits for a provider.
      const { provider, secret } = found.row;
      // Written by the registry only.
      const options = provider.options as ProviderOptions;
      const error = await verify({ protocol: provider.protocol, baseUrl: provider.base_url, options }, secret);
      return run({ ...request, idempotencyKey: key }, async (change) => {
        const { credential, auditEventId } = await recordVerification(change, { id, error });
        return written(credential.id, auditEventId);
      });
    },
    modelCreate: ({ idempotencyKey, price, ...given }) => {
      const input = {
        ...given,
        contextWindow: tokensOf(given.contextWindow),
        maxOutputTokens: tokensOf(given.maxOutputTokens),
        price: price === null ? null : priceSheetOf(price),
      };
      return run(
        { field: 'modelCreate', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const { model, auditEventId } = await createModel(change, input);
          return written(model.id, auditEventId);
        },
      );
    },
    modelUpdate: ({ id, expectedVersion, upstreamModel, contextWindow, maxOutputTokens }) => {
      const input = {
        id,
        expectedVersion,
        ...(upstreamModel == null ? {} : { upstreamModel }),
        ...(contextWindow === undefined ? {} : { contextWindow: tokensOf(contextWindow) }),
        ...(maxOutputTokens === undefined ? {} : { maxOutputTokens: tokensOf(maxOutputTokens) }),
      };
      return run({ field: 'modelUpdate', idempotencyKey: null, input, organizationId, target: { type: 'Model', id } }, async (change) => {
        const { model, auditEventId } = await updateModel(change, input);
        return written(model.id, auditEventId);
      });
    },
    modelArchive: (input) =>
      run(
        { field: 'modelArchive', idempotencyKey: null, input, organizationId, target: { type: 'Model', id: input.id } },
        async (change) => {
          const { model, auditEventId } = await archiveModel(change, input);
          return written(model.id, auditEventId);
        },
      ),
    priceOverrideSet: ({ idempotencyKey, modelId, price, validFrom }) => {
      const input = { modelId, price: priceSheetOf(price), validFrom };
      return run(
        { field: 'priceOverrideSet', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => written(modelId, (await setModelPrice(change, input)).auditEventId),
      );
    },
    priceOverrideEnd: ({ idempotencyKey, modelId, validFrom }) => {
      const input = { modelId, price: null, validFrom };
      return run(
        { field: 'priceOverrideEnd', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => written(modelId, (await setModelPrice(change, input)).auditEventId),
      );
    },
  };
}
