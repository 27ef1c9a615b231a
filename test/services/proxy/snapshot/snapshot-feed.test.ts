import { createSecretKey } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createSnapshotFeed } from '../../../../services/proxy/snapshot/snapshot-feed.ts';
import type { Snapshot, SnapshotKey } from '../../../../services/registry/snapshot.ts';
import { systemClock } from '../../../../services/runtime/clock.ts';
import { eventually } from '../../../harness/eventually.ts';
import { recordingLog } from '../../../harness/recording-log.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';

const MOST_KEYS_A_TURN = 250;
const KEYS = 1_100;

test('a snapshot of many keys is compiled in turns, and serves once all of it is', async () => {
  let looked = 0;
  const keyOf = (revision: string, index: number): SnapshotKey => ({
    id: `key_${revision}_${index}`,
    organizationId: 'org_1',
    teamId: null,
    userId: null,
    serviceAccountId: null,
    kind: 'ak',
    environment: 'live',
    name: 'one',
    allowedModels: null,
    allowedEndpoints: null,
    allowedCidrs: null,
    allowedOverrides: null,
    tags: {},
    expiresAt: null,
    disabledAt: null,
    revokedAt: null,
    get secrets() {
      looked += 1;
      return [{ hash: `${revision} ${index}`, publicPart: '', expiresAt: null, revokedAt: null }];
    },
  });
  const snapshotOf = (revision: string): Snapshot => ({
    revision,
    readAtMs: 0,
    keys: Array.from({ length: KEYS }, (_, index) => keyOf(revision, index)),
    providers: [],
    models: [],
    dataKeys: [],
    credentials: [],
    routes: [],
    budgets: [],
    rateLimits: [],
    organizations: [],
  });
  let revision = '1';
  let lookedBefore = 0;
  const turns: { readonly looked: number; readonly serving: string | null }[] = [];
  const feed = createSnapshotFeed({
    source: {
      readRevision: async () => revision,
      readSnapshot: async () => {
        // The one before may have been printed for the disk meanwhile, which looks at keys too.
        lookedBefore = looked;
        return snapshotOf(revision);
      },
    },
    path: join(await temporaryFolder(), 'snapshot.json'),
    deriveKey: () => createSecretKey(Buffer.alloc(32)),
    clock: systemClock,
    log: recordingLog(),
    onSnapshot: () => {},
    pollIntervalMs: 1,
    endTurn: async () => {
      turns.push({ looked: looked - lookedBefore, serving: feed.current()?.revision ?? null });
      // A turn of the event loop, in which requests would be served.
      await new Promise((resolve) => setImmediate(resolve));
      lookedBefore = looked;
    },
  });
  onTestFinished(() => feed.stop());
  await feed.start();
  expect(feed.current()?.secrets.size).toBe(KEYS);
  expect(turns.map(({ serving }) => serving)).toEqual([null, null, null, null]);

  turns.length = 0;
  revision = '2';
  await eventually(() => feed.current()?.revision === '2');
  expect(feed.current()?.secrets.get(`2 ${KEYS - 1}`)?.key.id).toBe(`key_2_${KEYS - 1}`);
  expect(turns.map(({ serving }) => serving)).toEqual(['1', '1', '1', '1']);
  expect(Math.max(...turns.map((turn) => turn.looked))).toBeLessThanOrEqual(MOST_KEYS_A_TURN);
});
