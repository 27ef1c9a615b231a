import { describe, expect, test } from 'vitest';
import type { PriceSheet } from '../../../../services/pricing/price-sheet.ts';
import { priceVersion, sheetFromPerMillion } from '../../../../services/pricing/price-sheet.ts';
import { createSheetOf } from '../../../../services/proxy/snapshot/sheet-of.ts';
import { buildCatalogs } from '../../../../services/registry/catalog/build-catalogs.ts';
import type { Catalog } from '../../../../services/registry/catalog/catalog.ts';
import { modelNamed, modelsOf, offersOf, onlyTarget, routeNamed } from '../../../../services/registry/catalog/catalog.ts';
import type { OpenedCredential } from '../../../../services/registry/catalog/compiled-credentials.ts';
import { priceAt } from '../../../../services/registry/catalog/compiled-prices.ts';
import type { Snapshot, SnapshotModel, SnapshotProvider, SnapshotRoute } from '../../../../services/registry/snapshot.ts';
import { testModel } from '../../../harness/proxy.ts';

const sheet = (usd: string) => sheetFromPerMillion({ input: usd, output: usd });
const at = (validFrom: number, usd: string) => ({ validFrom, priceVersion: priceVersion(sheet(usd)), sheet: sheet(usd) });

const provider = (id: string, name: string, organizationId: string | null, env: string | null = null): SnapshotProvider => ({
  id,
  organizationId,
  name,
  protocol: 'openai',
  baseUrl: `https://${id}.example`,
  credential: env === null ? null : { env },
  options: {},
});
const model = (id: string, name: string, fields: Partial<SnapshotModel> = {}): SnapshotModel =>
  testModel(name, { id, prices: [], ...fields });
const route = (organizationId: string, name: string, targets: SnapshotRoute['targets']): SnapshotRoute => ({
  id: `rte_${name}`,
  organizationId,
  name,
  strategy: 'weighted',
  createdAt: 0,
  outputCap: null,
  targets,
});
const credential = (id: string, organizationId: string, providerId: string): [string, OpenedCredential] => [
  id,
  {
    source: { id, organizationId, providerId, dataKeyId: 'd', sealed: '' },
    compiled: { kind: 'sealed', id, reveal: () => `secret of ${id}` },
  },
];

function build(snapshot: Partial<Snapshot>, credentials: readonly [string, OpenedCredential][] = [], bad: string[] = []) {
  const whole: Snapshot = {
    revision: '1',
    readAtMs: 0,
    keys: [],
    providers: [],
    models: [],
    dataKeys: [],
    credentials: [],
    routes: [],
    budgets: [],
    rateLimits: [],
    organizations: [],
    ...snapshot,
  };
  const { shared, own } = buildCatalogs(
    whole,
    new Map(credentials),
    createSheetOf(new Map(), (version) => bad.push(version)),
  );
  return (organizationId: string): Catalog<PriceSheet> => own.get(organizationId) ?? shared;
}
const named = (catalog: Catalog<PriceSheet>, name: string) => {
  const choice = modelNamed(catalog, name);
  if (choice === undefined) throw new Error(`no ${name}`);
  return onlyTarget(choice);
};

describe('a price', () => {
  const priced = (fields: Partial<SnapshotModel>, bad: string[] = []) => {
    const catalogOf = build({ providers: [provider('p', 'acme', null)], models: [model('m', 'acme/large', fields)] }, [], bad);
    return (organizationId: string, timeMs: number) => priceAt(named(catalogOf(organizationId), 'acme/large').prices, timeMs);
  };
  const own = (validFrom: number, usd: string | null) => ({
    organizationId: 'org_1',
    ...(usd === null ? { validFrom, priceVersion: null, sheet: null } : at(validFrom, usd)),
  });

  test('is the own one from when it begins to when it ends, and the shared one before and after, whatever changes there', () => {
    const priceOf = priced({
      prices: [at(0, '1'), at(250, '2'), at(450, '3')],
      ownPrices: [own(100, '0.5'), own(300, '0.4'), own(400, null)],
    });
    const seen = [50, 100, 260, 300, 400, 450].map((timeMs) => priceOf('org_1', timeMs));
    expect(seen).toEqual(['1', '0.5', '0.5', '0.4', '2', '3'].map(sheet));
    expect([50, 100, 260, 400, 450].map((timeMs) => priceOf('org_2', timeMs))).toEqual(['1', '1', '2', '2', '3'].map(sheet));
  });

  test('that cannot be read leaves its time unrated: neither an older nor the shared one stands in', () => {
    const bad: string[] = [];
    const unreadable = { organizationId: 'org_1', validFrom: 200, priceVersion: 'pv_bad', sheet: { standard: { input: -1 } } };
    const priceOf = priced({ prices: [at(0, '1')], ownPrices: [own(100, '0.5'), unreadable, own(300, '0.4')] }, bad);
    expect([150, 200, 300].map((timeMs) => priceOf('org_1', timeMs))).toEqual([sheet('0.5'), null, sheet('0.4')]);
    expect(priceOf('org_2', 200)).toEqual(sheet('1'));
    expect(bad).toEqual(['pv_bad']);
  });

  test('of an own model that ended leaves it unrated', () => {
    const priceOf = priced({ ownPrices: [own(0, '3'), own(100, null)] });
    expect([50, 100].map((timeMs) => priceOf('org_1', timeMs))).toEqual([sheet('3'), null]);
  });
});

test('what comes to be shared under the name of an own provider neither replaces its models nor takes its credential', () => {
  const catalogOf = build(
    {
      providers: [provider('shared', 'acme', null, 'ACME_KEY'), provider('own', 'acme', 'org_1')],
      models: [model('m1', 'acme/large'), model('m2', 'acme/small'), model('m3', 'acme/large', { organizationId: 'org_1' })],
    },
    [credential('crd_1', 'org_1', 'own')],
  );
  expect(named(catalogOf('org_1'), 'acme/large')).toMatchObject({ id: 'm3', provider: { id: 'own' }, credential: { id: 'crd_1' } });
  expect(named(catalogOf('org_1'), 'acme/small')).toMatchObject({ id: 'm2', credential: { kind: 'environment', variable: 'ACME_KEY' } });
  expect(offersOf(catalogOf('org_1'), 'large')?.map((choice) => onlyTarget(choice).id)).toEqual(['m3']);
  expect([...modelsOf(catalogOf('org_1'))].map(({ id }) => id)).toEqual(['m3', 'm2']);
  expect(named(catalogOf('org_2'), 'acme/large').id).toBe('m1');
});

test('a snapshot that names another organization’s model, provider or credential gives nothing of it away', () => {
  const catalogOf = build(
    {
      providers: [provider('shared', 'acme', null), provider('theirs', 'zeta', 'org_2', 'SECRET_OF_THE_GATEWAY')],
      models: [model('m1', 'acme/large'), model('m2', 'zeta/small', { organizationId: 'org_2' })],
      routes: [
        route('org_1', 'model', [{ modelId: 'm2', weight: 1, credentialId: null }]),
        route('org_1', 'credential', [{ modelId: 'm1', weight: 1, credentialId: 'crd_2' }]),
        route('org_1', 'half', [
          { modelId: 'm2', weight: 999, credentialId: null },
          { modelId: 'm1', weight: 1, credentialId: null },
        ]),
      ],
    },
    [credential('crd_1', 'org_1', 'theirs'), credential('crd_2', 'org_2', 'shared')],
  );
  const mine = catalogOf('org_1');
  expect([...modelsOf(mine)].map(({ id }) => id)).toEqual(['m1']);
  expect(named(mine, 'acme/large').credential).toEqual({ kind: 'none' });
  expect(routeNamed(mine, 'model')?.choice).toBeNull();
  expect(routeNamed(mine, 'credential')?.choice).toBeNull();
  expect(routeNamed(mine, 'route/half')?.choice).toMatchObject({ decisions: [{ target: { id: 'm1' } }], weightSums: [1] });
  // No tenant's provider is given what the gateway's environment holds.
  expect(named(catalogOf('org_2'), 'zeta/small').credential).toEqual({ kind: 'none' });
});
