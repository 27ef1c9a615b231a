import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSnapshotFile, writeSnapshotFile } from '../../../../services/proxy/snapshot/snapshot-file.ts';
import type { Snapshot, SnapshotKey } from '../../../../services/registry/snapshot.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';

const key: SnapshotKey = {
  id: 'key_1',
  organizationId: 'org_1',
  teamId: null,
  userId: null,
  serviceAccountId: null,
  kind: 'ak',
  environment: 'live',
  name: 'one',
  allowedModels: null,
  allowedEndpoints: ['/v1/models'],
  allowedCidrs: ['10.0.0.0/8'],
  allowedOverrides: ['timeout'],
  tags: {},
  expiresAt: null,
  disabledAt: null,
  revokedAt: null,
  secrets: [{ hash: 'aGFzaA', publicPart: '7f3KabcD', expiresAt: null, revokedAt: null }],
};
const snapshot: Snapshot = {
  revision: '1',
  readAtMs: 1,
  keys: [key],
  providers: [],
  models: [],
  dataKeys: [],
  credentials: [],
  routes: [],
  budgets: [],
  rateLimits: [],
  organizations: [],
};

test('a snapshot is read as it was kept, and not at all when it is none', async () => {
  const path = join(await temporaryFolder(), 'snapshot.json');
  await writeSnapshotFile(path, snapshot);
  await expect(readSnapshotFile(path)).resolves.toEqual(snapshot);
  await writeFile(path, '{"revision":"1"}');
  await expect(readSnapshotFile(path)).resolves.toBeNull();
});

test('a snapshot of more keys than are printed at once is read as it was kept', async () => {
  const path = join(await temporaryFolder(), 'snapshot.json');
  const keys = Array.from({ length: 250 }, (_, index) => ({ ...key, id: `key_${index}` }));
  await writeSnapshotFile(path, { ...snapshot, keys });
  await expect(readSnapshotFile(path)).resolves.toEqual({ ...snapshot, keys });
});

test('what organizations selected is kept, and nothing read of a snapshot from before they could', async () => {
  const path = join(await temporaryFolder(), 'snapshot.json');
  const organizations = [{ id: 'org_1', budgetExceededStatus: 402 as const }];
  await writeSnapshotFile(path, { ...snapshot, organizations });
  await expect(readSnapshotFile(path)).resolves.toEqual({ ...snapshot, organizations });
  const { organizations: _organizations, ...before } = snapshot;
  await writeFile(path, JSON.stringify(before));
  await expect(readSnapshotFile(path)).resolves.toEqual(snapshot);
});

test('a snapshot from before keys could be limited is read, with none limited and none allowed to override', async () => {
  const path = join(await temporaryFolder(), 'snapshot.json');
  const secrets = key.secrets.map(({ publicPart: _part, ...secret }) => secret);
  const { allowedEndpoints: _endpoints, allowedCidrs: _cidrs, allowedOverrides: _overrides, ...before } = key;
  await writeFile(path, JSON.stringify({ ...snapshot, keys: [{ ...before, secrets }] }));
  await expect(readSnapshotFile(path)).resolves.toEqual({
    ...snapshot,
    keys: [
      {
        ...key,
        allowedEndpoints: null,
        allowedCidrs: null,
        allowedOverrides: null,
        secrets: [{ hash: 'aGFzaA', publicPart: '', expiresAt: null, revokedAt: null }],
      },
    ],
  });
});

test('a budget is read with its thresholds, and one that was kept before they were with none', async () => {
  const path = join(await temporaryFolder(), 'snapshot.json');
  const budget = {
    id: 'bud_1',
    organizationId: 'org_1',
    selector: [],
    groupBy: [],
    limits: [],
    thresholds: ['80', '99.5'],
    enforcement: 'enforce' as const,
    downgradeTo: null,
    onUnpricedModel: 'block' as const,
    fallbackPrice: null,
  };
  await writeSnapshotFile(path, { ...snapshot, budgets: [budget] });
  await expect(readSnapshotFile(path)).resolves.toMatchObject({ budgets: [budget] });
  const { thresholds: _thresholds, ...before } = budget;
  await writeFile(path, JSON.stringify({ ...snapshot, budgets: [before] }));
  await expect(readSnapshotFile(path)).resolves.toMatchObject({ budgets: [{ ...budget, thresholds: [] }] });
});
