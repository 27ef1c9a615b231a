import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mintId } from '../../../../schema/values/ids.ts';
import { buildCatalogs, catalogOf } from '../../../../services/registry/catalog/build-catalogs.ts';
import type { PlacedCredential } from '../../../../services/registry/catalog/compiled-credentials.ts';
import { dryRun } from '../../../../services/registry/catalog/dry-run.ts';
import type { SnapshotRoute } from '../../../../services/registry/snapshot.ts';
import { testModel } from '../../../harness/proxy.ts';

const everything = { allowedModels: null };
const provider = (name: string) =>
  ({
    id: `prv_${name}`,
    organizationId: null,
    name,
    protocol: 'openai',
    baseUrl: 'https://x.invalid',
    credential: null,
    options: {},
  }) as const;
const model = (name: string) => testModel(name, { id: `mdl_${name}` });
const names = ['acme/large', 'acme/small', 'zeta/large'];
const credentials = new Map<string, PlacedCredential>([
  [
    'crd_1',
    {
      source: { id: 'crd_1', organizationId: 'org_1', providerId: 'prv_acme' },
      compiled: { kind: 'sealed', id: 'crd_1', reveal: () => null },
    },
  ],
]);

function catalogWith(targets: SnapshotRoute['targets']) {
  const route = {
    id: 'rte_1',
    organizationId: 'org_1',
    name: 'chat',
    strategy: 'weighted',
    createdAt: 0,
    outputCap: null,
    targets,
  } as const;
  const offer = { providers: [provider('acme'), provider('zeta')], models: names.map(model), routes: [route] };
  return catalogOf(
    buildCatalogs(offer, credentials, (version) => version),
    'org_1',
  );
}
const to = (name: string, weight = 1, credentialId: string | null = null) => ({ modelId: `mdl_${name}`, weight, credentialId });

test('a route is told with the weight of each target, and what it skips with the reason', () => {
  const catalog = catalogWith([
    to('acme/large', 3, 'crd_1'),
    to('zeta/large'),
    to('acme/gone', 96),
    to('acme/small', 50, 'crd_gone'),
    to('zeta/large', 7, 'crd_1'),
  ]);
  for (const name of ['chat', 'route/chat']) {
    const run = dryRun(catalog, everything, name, null);
    expect(run.refusal).toBeNull();
    expect(run.routeId).toBe('rte_1');
    expect(run.targets.map(({ target, weight }) => [target.name, target.credential.kind, weight])).toEqual([
      ['acme/large', 'sealed', 3],
      ['zeta/large', 'none', 1],
    ]);
    expect(run.weightSum).toBe(4);
    expect(run.skipped).toEqual([
      { modelId: 'mdl_acme/gone', credentialId: null, weight: 96, reason: 'model_gone' },
      { modelId: 'mdl_acme/small', credentialId: 'crd_gone', weight: 50, reason: 'credential_gone' },
      // Another provider's credential authorizes nothing here.
      { modelId: 'mdl_zeta/large', credentialId: 'crd_1', weight: 7, reason: 'credential_gone' },
    ]);
    expect(run.decision).toMatchObject({ reason: 'route_weighted', candidates: ['acme/large', 'zeta/large'] });
    expect(run.drawn).toBeNull();
  }
});

test('a route with nowhere left to go is not found, and what it skips says why', () => {
  const run = dryRun(catalogWith([to('acme/gone')]), everything, 'route/chat', null);
  expect(run).toMatchObject({ routeId: 'rte_1', refusal: { code: 'model_not_found', param: 'model' }, decision: null, targets: [] });
  expect(run.skipped).toMatchObject([{ reason: 'model_gone' }]);
});

test.each([
  ['acme/large', null, null],
  ['small', null, null],
  ['large', null, 'model_ambiguous'],
  ['large', ['zeta/*'], null],
  ['small', ['zeta/*'], 'model_not_allowed'],
  ['acme/large', ['zeta/*'], 'model_not_allowed'],
  ['chat', ['acme/large'], 'model_not_allowed'],
  ['chat', ['route/chat'], null],
  ['acme/none', null, 'model_not_found'],
  ['none', null, 'model_not_found'],
])('%s for a key that may use %j is answered as the proxy would: %s', (name, allowed, code) => {
  const run = dryRun(catalogWith([to('acme/large')]), { allowedModels: allowed === null ? null : new Set(allowed) }, name, null);
  expect(run.refusal?.code ?? null).toBe(code);
  expect(run.targets).toHaveLength(code === null ? 1 : 0);
});

test('a request id draws one of the targets, as often as its weight says', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(weights, fc.uint8Array({ minLength: 10, maxLength: 10 }), (wanted, entropy) => {
      const catalog = catalogWith(wanted.map((weight, index) => to(names[index] ?? '', weight)));
      const run = dryRun(catalog, everything, 'chat', mintId('request', 1_700_000_000_000, entropy));
      expect(run.targets).toContain(run.drawn);
      expect(run.targets.map(({ weight }) => weight)).toEqual(wanted);
      expect(run.weightSum).toBe(wanted.reduce((sum, weight) => sum + weight));
      const lowest = dryRun(catalog, everything, 'chat', `req_${'0'.repeat(26)}`);
      const highest = dryRun(catalog, everything, 'chat', `req_${'0'.repeat(20)}${'z'.repeat(6)}`);
      expect([lowest.drawn, highest.drawn]).toEqual([run.targets.at(0), run.targets.at(-1)]);
    }),
  );
});
