import { createCredentialOpener } from '../../registry/catalog/compiled-credentials.ts';
import type { Snapshot } from '../../registry/snapshot.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { EndTurn } from '../../runtime/in-turns.ts';
import { inTurns, endTurn as systemEndTurn } from '../../runtime/in-turns.ts';
import type { Log } from '../../runtime/log.ts';
import type { Secrets } from '../../runtime/secrets.ts';
import type { CompiledSnapshot } from './compiled-snapshot.ts';
import { compileSnapshot, createKnownSecrets } from './compiled-snapshot.ts';
import { createSheetOf } from './sheet-of.ts';
import { readSnapshotFile, writeSnapshotFile } from './snapshot-file.ts';

/** Where snapshots come from; {@link readRevision} is cheap and asked four times a second. */
export interface SnapshotSource {
  readRevision(): Promise<string>;
  /** What has not changed since the snapshot before may be the same objects. */
  readSnapshot(): Promise<Snapshot>;
}

export interface SnapshotFeedOptions {
  readonly source: SnapshotSource;
  /** Where the last good snapshot is kept. */
  readonly path: string;
  /** Of the installation's secrets: what sealed credentials are opened with. */
  readonly deriveKey: Secrets['deriveKey'];
  readonly clock: Clock;
  readonly log: Log;
  /** Runs before the swap, so that whatever the snapshot names is ready when the first request sees it. */
  readonly onSnapshot: (snapshot: CompiledSnapshot) => void;
  /** 250 ms: with one read and one swap a revoked key is refused well within a second (invariant 9). */
  readonly pollIntervalMs?: number;
  /** Between the parts of a snapshot; a turn of the event loop. */
  readonly endTurn?: EndTurn;
}

export interface SnapshotFeed {
  /** The snapshot in force, or null before the first one. */
  current(): CompiledSnapshot | null;
  /** How long ago the registry last confirmed that the snapshot is current; Infinity when it never did in this process. */
  ageMs(): number;
  /**
   * Reads the first snapshot, from the registry or else from disk, and begins to poll. Resolves with where it came from;
   * `none` when there is neither: then `current` is null until the registry answers.
   */
  start(): Promise<'registry' | 'file' | 'none'>;
  stop(): Promise<void>;
}

const DEFAULT_POLL_INTERVAL_MS = 250;
/** Keys that are compiled in one turn of the event loop, which takes about a millisecond. */
const KEYS_PER_TURN = 250;

/** Follows the registry by its revision and keeps the last good snapshot on disk. Reads never overlap. */
export function createSnapshotFeed(options: SnapshotFeedOptions): SnapshotFeed {
  const { source, path, clock, log, onSnapshot, pollIntervalMs = DEFAULT_POLL_INTERVAL_MS, endTurn = systemEndTurn } = options;
  const sheetOf = createSheetOf(new Map(), (priceVersion, error) =>
    log.error({ priceVersion, error }, 'a price cannot be read; what it would rate is unrated'),
  );
  const openCredentials = createCredentialOpener(options.deriveKey, (credential, error) =>
    log.error({ credential, error }, 'a credential cannot be opened; its provider cannot be called with it'),
  );
  const known = createKnownSecrets();
  let compiled: CompiledSnapshot | null = null;
  let confirmedAt: number | null = null;
  let reachable = true;
  let stopped = false;
  let timer: NodeJS.Timeout | null = null;
  let polling: Promise<void> = Promise.resolve();
  let writing: Promise<void> = Promise.resolve();

  const use = async (snapshot: Snapshot): Promise<void> => {
    const next = await inTurns(compileSnapshot(snapshot, { sheetOf, openCredentials, known }), KEYS_PER_TURN, endTurn);
    onSnapshot(next);
    compiled = next;
  };

  const keep = (snapshot: Snapshot): void => {
    writing = writing
      .then(() => writeSnapshotFile(path, snapshot))
      .catch((error: unknown) =>
        log.error({ error }, 'the snapshot cannot be kept on disk; a start without Postgres would use an older one'),
      );
  };

  const look = async (): Promise<void> => {
    const revision = await source.readRevision();
    if (revision !== compiled?.revision) {
      const snapshot = await source.readSnapshot();
      await use(snapshot);
      keep(snapshot);
    }
    confirmedAt = clock.monotonic();
  };

  const poll = async (): Promise<void> => {
    try {
      await look();
      if (!reachable) log.info('the registry answers again');
      reachable = true;
    } catch (error) {
      // Said once: the age of the snapshot is a metric from here on.
      if (reachable) log.warn({ error }, 'the registry does not answer; serving from the last snapshot');
      reachable = false;
    }
  };

  const schedule = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      polling = poll().then(schedule);
    }, pollIntervalMs);
  };

  return {
    current: () => compiled,
    ageMs: () => (confirmedAt === null ? Number.POSITIVE_INFINITY : clock.monotonic() - confirmedAt),
    start: async () => {
      await poll();
      let from: 'registry' | 'file' | 'none' = compiled === null ? 'none' : 'registry';
      if (compiled === null) {
        const kept = await readSnapshotFile(path);
        if (kept !== null) {
          await use(kept);
          from = 'file';
        }
      }
      schedule();
      return from;
    },
    stop: async () => {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await polling;
      await writing;
    },
  };
}
