import { createSecretKey } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createSnapshotFeed } from '../../../services/proxy/snapshot/snapshot-feed.ts';
import { createSnapshotMemory, readRevision, readSnapshot } from '../../../services/registry/read-snapshot.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { letHeapGrow } from '../../../services/runtime/heap-growth.ts';
import { createLog } from '../../../services/runtime/log.ts';
import { createDatabase } from '../../../services/runtime/postgres.ts';
import type { PushResult } from './push-job.ts';
import { watchTurns } from './turn-watch.ts';

// Follows the registry as a proxy does, and watches its own event loop. It looks at the registry when it is told to, so that what is measured is one push.

const [url = '', path = ''] = process.argv.slice(2);
letHeapGrow();
const { db } = createDatabase({ url, role: 'login', applicationName: 'bench-push', poolSize: 2 });
const known = createSnapshotMemory();
let asked = false;
let revision = '';
const feed = createSnapshotFeed({
  source: {
    readRevision: async () => {
      if (asked) revision = await readRevision(db);
      asked = false;
      return revision;
    },
    readSnapshot: () => readSnapshot(db, known),
  },
  path,
  deriveKey: () => createSecretKey(Buffer.alloc(32)),
  clock: systemClock,
  log: createLog({ name: 'bench', level: 'warn' }),
  onSnapshot: () => {},
  pollIntervalMs: 1,
});

const keptAt = async (): Promise<number> => (await stat(path).catch(() => null))?.mtimeMs ?? 0;
const serving = (): string => feed.current()?.revision ?? '';
const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 1));
};

/** @param look makes the feed look at the registry. */
async function follow(look: () => Promise<unknown>): Promise<PushResult> {
  const before = { revision: serving(), keptAt: await keptAt() };
  const watched = watchTurns();
  const startedAt = performance.now();
  asked = true;
  await look();
  await until(async () => serving() !== before.revision);
  const servesAfterMs = performance.now() - startedAt;
  await until(async () => (await keptAt()) !== before.keptAt);
  return { keys: feed.current()?.secrets.size ?? 0, servesAfterMs, ...(await watched()) };
}

process.on('message', () => {
  void follow(async () => {}).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
process.send?.(await follow(feed.start));
