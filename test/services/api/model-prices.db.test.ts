import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { priceVersion, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import { applyProviders } from '../../../services/registry/configuration/apply-providers.ts';
import type { TestAdministrator } from '../../harness/graphql-administrator.ts';
import { startAdministrator } from '../../harness/graphql-administrator.ts';
import { changeOf } from '../../harness/registry.ts';

let admin: TestAdministrator;
beforeAll(async () => {
  admin = await startAdministrator();
});
afterAll(() => admin[Symbol.asyncDispose]());

test('a model has its price from its own tiers, exactly, and the same prices are the same version', async () => {
  const provider = await admin.makeProvider();
  type Entity = {
    model: {
      id: string;
      name: string;
      isPriced: boolean;
      prices: {
        isOverride: boolean;
        version: string;
        priceVersion: { id: string };
        tiers: { tier: string; aboveInputTokens: number | null; units: unknown[] }[];
      } | null;
    };
  };
  const selection =
    'model { id name version isPriced contextWindow prices { isOverride version priceVersion { id } tiers { tier aboveInputTokens units { unit usd usdPerMillion } } } }';
  const price = [
    {
      aboveInputTokens: 200_000,
      units: [
        { unit: 'input', usdPerMillion: '6' },
        { unit: 'output', usdPerMillion: '22.5' },
      ],
    },
    {
      units: [
        { unit: 'output', usdPerMillion: '15' },
        { unit: 'input', usdPerMillion: '3' },
        { unit: 'request', usd: '0.000001' },
      ],
    },
  ];
  const input = { idempotencyKey: 'm1', providerId: provider.id, name: 'large', contextWindow: '1000000', price };
  const { model } = await admin.change<Entity>('modelCreate', input, selection);
  expect(model).toMatchObject({ name: `${provider.name}/large`, isPriced: true, contextWindow: '1000000' });
  expect(model.prices?.tiers).toEqual([
    {
      tier: 'standard',
      aboveInputTokens: null,
      units: [
        { unit: 'input', usd: '0.000003', usdPerMillion: '3' },
        { unit: 'output', usd: '0.000015', usdPerMillion: '15' },
        { unit: 'request', usd: '0.000001', usdPerMillion: '1' },
      ],
    },
    {
      tier: 'standard',
      aboveInputTokens: 200_000,
      units: [
        { unit: 'input', usd: '0.000006', usdPerMillion: '6' },
        { unit: 'output', usd: '0.0000225', usdPerMillion: '22.5' },
      ],
    },
  ]);
  const version = await admin.api.ask<{ node: { __typename: string; id: string } }>(
    admin.tenant.adminKey,
    'query N($id: ID!) { node(id: $id) { __typename id } }',
    {
      id: model.prices?.version,
    },
  );
  expect(version.data?.node).toEqual({ __typename: 'PriceVersion', id: model.prices?.version });
  const twin = await admin.change<Entity>(
    'modelCreate',
    { ...input, idempotencyKey: 'm2', name: 'twin', price: [...price].reverse() },
    selection,
  );
  expect(twin.model.prices?.version).toBe(model.prices?.version);
  const unpriced = await admin.change<Entity>(
    'modelCreate',
    { idempotencyKey: 'm3', providerId: provider.id, name: 'unpriced' },
    selection,
  );
  expect(unpriced.model).toMatchObject({ isPriced: false, prices: null });
  for (const units of [
    [{ unit: 'input', usdPerMillion: '0.0000001' }],
    [{ unit: 'input', usdPerMillion: '-1' }],
    [{ unit: 'input' }],
    [{ unit: 'input', usd: '1', usdPerMillion: '1' }],
    [{ unit: 'nonsense', usd: '1' }],
    [
      { unit: 'input', usd: '1' },
      { unit: 'input', usd: '2' },
    ],
  ]) {
    const refused = await admin.change<Entity>(
      'modelCreate',
      { ...input, idempotencyKey: JSON.stringify(units), name: 'bad', price: [{ units }] },
      selection,
    );
    expect([units, refused.errors.map(({ code }) => code)]).toEqual([units, ['INVALID_INPUT']]);
  }
});

/** A provider of the installation with one model at 1 USD per million input tokens, as a configuration file brings it. */
async function shareModel(name: string): Promise<{ providerId: string; modelId: string }> {
  const sheet = sheetFromPerMillion({ input: '1', output: '2' });
  await changeOf(admin.api.database.writer.db, admin.tenant.organizationId, (made) =>
    applyProviders(made, {
      owner: 'file',
      providers: [{ name, protocol: 'openai', baseUrl: 'https://shared.invalid/v1', credential: { env: 'SHARED_KEY' }, options: {} }],
      models: [
        {
          name: `${name}/model`,
          upstreamModel: 'model',
          contextWindow: null,
          maxOutputTokens: null,
          price: { version: priceVersion(sheet), sheet, source: 'file' },
        },
      ],
      keys: [],
    }),
  );
  const model = await admin.api.database.writer.db
    .selectFrom('models')
    .select(['id', 'provider_id'])
    .where('name', '=', `${name}/model`)
    .executeTakeFirstOrThrow();
  return { providerId: idFromUuid('provider', model.provider_id), modelId: idFromUuid('model', model.id) };
}

test("an organization's own price of a shared model wins for it alone, until it is ended", async () => {
  const other = await admin.api.makeTenant('upstream-other');
  const { modelId } = await shareModel('everybody');
  const priceOf = async (key: string, at: string | null = null) => {
    const { data, errors } = await admin.api.ask<{
      node: { isPriced: boolean; prices: { isOverride: boolean; tiers: { units: { usdPerMillion: string }[] }[] } };
    }>(
      key,
      'query P($id: ID!, $at: DateTime) { node(id: $id) { ... on Model { isPriced prices(at: $at) { isOverride tiers { units { usdPerMillion } } } } } }',
      { id: modelId, at },
    );
    expect(errors).toBeUndefined();
    const prices = data?.node.prices;
    return [prices?.isOverride, prices?.tiers[0]?.units[0]?.usdPerMillion];
  };
  expect(await priceOf(admin.tenant.adminKey)).toEqual([false, '1']);
  const before = new Date().toISOString();
  const price = [{ units: [{ unit: 'input', usdPerMillion: '0.5' }] }];
  const input = { idempotencyKey: 'o1', modelId, price };
  const set = await admin.change<{ model: { prices: { isOverride: boolean } } }>(
    'priceOverrideSet',
    input,
    'model { prices { isOverride } }',
  );
  expect(set).toMatchObject({ errors: [], model: { prices: { isOverride: true } } });
  expect((await admin.change('priceOverrideSet', input, '')).replayed).toBe(true);
  expect(await priceOf(admin.tenant.adminKey)).toEqual([true, '0.5']);
  expect(await priceOf(admin.tenant.adminKey, before)).toEqual([false, '1']);
  expect(await priceOf(other.adminKey)).toEqual([false, '1']);
  const past = await admin.change('priceOverrideSet', { ...input, idempotencyKey: 'o2', validFrom: before }, '');
  expect(past.errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'validFrom'] }]);
  const ended = await admin.change('priceOverrideEnd', { idempotencyKey: 'o3', modelId }, '');
  expect(ended.errors).toEqual([]);
  expect(await priceOf(admin.tenant.adminKey)).toEqual([false, '1']);
});

test('what the installation shares is seen by all, takes credentials of each, and is changed by none', async () => {
  const { providerId, modelId } = await shareModel('common');
  for (const refused of [
    await admin.change('providerUpdate', { id: providerId, expectedVersion: 1, baseUrl: 'https://mine.invalid' }, ''),
    await admin.change('providerArchive', { id: providerId, expectedVersion: 1 }, ''),
    await admin.change('modelArchive', { id: modelId, expectedVersion: 1 }, ''),
    await admin.change('modelCreate', { idempotencyKey: 'shared', providerId, name: 'mine' }, ''),
  ])
    expect(refused.errors).toMatchObject([{ code: 'MANAGED_BY_FILE' }]);
  const own = await admin.change<{ providerCredential: { provider: { isShared: boolean } } }>(
    'providerCredentialCreate',
    { idempotencyKey: 'byok', providerId, name: 'ours', secret: 'sk-bring-your-own-0000000' },
    'providerCredential { provider { isShared } }',
  );
  expect(own.providerCredential.provider.isShared).toBe(true);
});
