import type { Clock } from '../../runtime/clock.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { Disk } from '../disk.ts';
import { machineDisk } from '../disk.ts';
import type { FolderLock } from '../folder-lock.ts';
import { lockFolder } from '../folder-lock.ts';
import { createSegmentedLog } from '../segments/create-segmented-log.ts';
import { recoverSegments } from '../segments/recovery.ts';
import type { SegmentedLog } from '../segments/segmented-log.ts';
import type { Spool } from '../spool.ts';
import type { Timers } from '../timers.ts';
import { systemTimers } from '../timers.ts';
import type { Carried } from './carried.ts';
import { createOpenRequests } from './open-requests.ts';
import type { Outbox, Outgoing } from './outbox.ts';
import { createOutbox } from './outbox.ts';
import type { RejectedFile } from './rejected-file.ts';
import { createRejectedFile } from './rejected-file.ts';
import type { SenderTarget } from './sender.ts';
import { createSender } from './sender.ts';
import {
  CARRIED_KIND,
  CLOSE_KIND,
  CLOSE_ROOM_BYTES,
  decodeClose,
  END_KIND,
  encodeCarried,
  encodeClose,
  encodeOpen,
  encodeSent,
  isStorableId,
  MAX_OPEN_BYTES,
  OPEN_KIND,
  SENT_KIND,
} from './spool-record.ts';
import type { OpenRequest, SpoolContents } from './spool-recovery.ts';
import { foldSpool } from './spool-recovery.ts';

export interface SpoolOptions {
  /** The spool's own folder; made when missing. */
  readonly directory: string;
  /** `group`: `onWritten` after the write, synced within 5 ms. `strict`: `onWritten` after the sync. */
  readonly durability: 'group' | 'strict';
  readonly sender: SenderTarget;
  readonly log: Log;
  /** What is carried from segment to segment for the spool's owner. Nothing. */
  readonly carried?: Carried;
  /** Names the machine's boot (`/proc/sys/kernel/random/boot_id`): what another boot left unsynced is gone. */
  readonly machineBoot?: string;
  /** Bound on the folder's bytes, what open requests may still need included; at it `open` and `append` refuse. Default 1 GiB. */
  readonly maxBytes?: number;
  /** Bound on open requests. Default 10,000. */
  readonly maxOpen?: number;
  /** Default 16 MiB. */
  readonly segmentBytes?: number;
  readonly disk?: Disk;
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly random?: Random;
  /** Sole ownership of the folder. @throws when another process owns it. */
  readonly lock?: (directory: string) => Promise<FolderLock>;
}

const GROUP_SYNC_MS = 4;
const DEFAULT_MAX_BYTES = 1024 ** 3;
const DEFAULT_MAX_OPEN = 10_000;
const DEFAULT_SEGMENT_BYTES = 16 * 1024 ** 2;
/** Closed records kept in memory for the sender. */
const MAX_RESIDENT_BYTES = 16 * 1024 ** 2;
/** What may wait in memory for a sync. A disk that stalls longer is treated as one that is full. */
const MAX_UNSYNCED_BYTES = 64 * 1024 ** 2;
/** An open record this many segments back is written again, so that one long request does not keep everything since it. */
const CARRY_AFTER_SEGMENTS = 4;

/**
 * Opens the spool of one process: takes the folder, recovers what the last process left, and starts its sender.
 * @throws {FolderInUseError} when another living process has it; the disk's error when the folder cannot be read or written.
 */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { directory, log } = options;
  const disk = options.disk ?? machineDisk;
  await disk.makeDirectory(directory);
  const lock = await (options.lock ?? lockFolder)(directory);
  try {
    const fold = foldSpool(options.carried ?? null);
    const recovered = await recoverSegments({ disk, directory, log, onFrame: fold.add, onHeader: fold.addHeader });
    const hooks: SegmentHooks = { onRotated: () => {}, onSynced: () => {} };
    const segments = await createSegmentedLog(
      {
        disk,
        directory,
        log,
        timers: options.timers ?? systemTimers,
        random: options.random ?? systemRandom,
        segmentBytes: options.segmentBytes ?? DEFAULT_SEGMENT_BYTES,
        syncDelayMs: options.durability === 'strict' ? 0 : GROUP_SYNC_MS,
        header: () => Buffer.from(JSON.stringify({ format: 1, epoch: lock.epoch, boot: options.machineBoot })),
        onRotated: () => hooks.onRotated(),
        onSynced: () => hooks.onSynced(),
      },
      recovered,
    );
    const contents = fold.contents();
    const { open, unsent, clean } = contents;
    log.info(
      { directory, epoch: lock.epoch, clean, orphans: open.size, unsent: unsent.length, damaged: recovered.damage.length },
      'spool open',
    );
    return runSpool(options, { disk, lock, segments, contents, hooks });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

type Parts = {
  readonly disk: Disk;
  readonly lock: FolderLock;
  readonly segments: SegmentedLog;
  readonly contents: SpoolContents;
  readonly hooks: SegmentHooks;
};
/** What the segments tell the spool; set once it runs. */
type SegmentHooks = { onRotated: () => void; onSynced: () => void };

function runSpool(options: SpoolOptions, { disk, lock, segments, contents, hooks }: Parts): Spool {
  const { log } = options;
  const clock = options.clock ?? systemClock;
  const timers = options.timers ?? systemTimers;
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  const maxOpen = options.maxOpen ?? DEFAULT_MAX_OPEN;
  const open = createOpenRequests(contents.open);
  const orphans = [...contents.open].map(([requestId, { draft }]) => ({ requestId, draft }));
  const outbox: Outbox = createOutbox({ maxResidentBytes: MAX_RESIDENT_BYTES });
  const rejected: RejectedFile = createRejectedFile({ disk, directory: options.directory, epoch: lock.epoch });
  let reserved = 0;
  let stopping = false;
  let stopped = false;
  let carriedPlaces = contents.carried;
  for (const { segment } of carriedPlaces) segments.hold(segment);
  for (const { place } of contents.open.values()) keep(place.segment, place.length);
  for (const { requestId, closedAt, place } of contents.unsent) {
    segments.hold(place.segment);
    outbox.add(requestId, closedAt, place, null);
  }
  const sender = createSender({
    ...options.sender,
    outbox,
    timers,
    random: options.random ?? systemRandom,
    log,
    syncedSequence: () => segments.syncedSequence,
    load,
    onSent,
    setAside: (outgoing, record, reason) => rejected.add(outgoing.requestId, record, reason, clock.now()),
  });

  /** Room an open request keeps: for its close, and for being carried to a younger segment. */
  function keep(segment: OpenRequest['place']['segment'], openBytes: number): void {
    segments.hold(segment);
    reserved += CLOSE_ROOM_BYTES + openBytes;
  }

  function bytesInUse(): number {
    return segments.bytes + rejected.bytes;
  }

  function hasRoom(neededBytes: number): boolean {
    return (
      !stopping &&
      segments.writable &&
      segments.unsyncedBytes + neededBytes <= MAX_UNSYNCED_BYTES &&
      bytesInUse() + reserved + neededBytes <= maxBytes
    );
  }

  function afterStored(run: () => void): void {
    if (options.durability === 'strict') segments.whenSynced(run);
    else segments.whenWritten(run);
  }

  function addClosed(requestId: string, event: Outgoing['record'] & object, onWritten: () => void): void {
    const closedAt = clock.now();
    const { body, record } = encodeClose(requestId, closedAt, event);
    const place = segments.append(CLOSE_KIND, body);
    segments.hold(place.segment);
    outbox.add(requestId, closedAt, place, record);
    afterStored(onWritten);
  }

  async function load(outgoing: Outgoing) {
    return decodeClose(await segments.read(outgoing.place)).event;
  }

  function onSent(count: number): void {
    const sent = outbox.shift(count);
    const last = sent.at(-1);
    for (const { place } of sent) segments.release(place.segment);
    // Not waited for: sending again after a crash is harmless, the ledger drops what it knows.
    if (last !== undefined) segments.append(SENT_KIND, encodeSent(last.place.sequence));
  }

  /** Writes what is carried again; where it stood before is kept until this is durable. */
  function carry(): void {
    const parts = options.carried?.write() ?? [];
    const places = parts.map((value, part) => segments.append(CARRIED_KIND, encodeCarried(part, parts.length, value)));
    for (const { segment } of places) segments.hold(segment);
    for (const { segment } of carriedPlaces) segments.release(segment);
    carriedPlaces = places;
  }

  function reclaim(): void {
    segments.reclaim().catch((error: unknown) => log.warn({ error }, 'could not remove a finished spool segment'));
  }

  function carryOver(): void {
    for (const [requestId, request] of open.entries()) {
      const { segment, length } = request.place;
      if (segment.number > segments.current.number - CARRY_AFTER_SEGMENTS) continue;
      const place = segments.append(OPEN_KIND, encodeOpen(requestId, request.draft));
      segments.hold(place.segment);
      segments.release(segment);
      open.delete(requestId);
      open.add(requestId, { draft: request.draft, place });
      reserved += place.length - length;
    }
  }

  carry();
  hooks.onRotated = () => {
    carryOver();
    carry();
  };
  hooks.onSynced = () => {
    sender.wake();
    reclaim();
  };

  return {
    orphans,
    boots: contents.boots,
    carry,
    whenSynced: segments.whenSynced,
    claimNextEpoch: lock.claimNext,
    hasLaterEpoch: lock.hasLater,
    open(requestId, draft, onWritten) {
      if (open.size >= maxOpen || !isStorableId(requestId) || open.get(requestId) !== undefined) return false;
      const body = encodeOpen(requestId, draft);
      if (body.length > MAX_OPEN_BYTES || !hasRoom(2 * body.length + CLOSE_ROOM_BYTES)) return false;
      const place = segments.append(OPEN_KIND, body);
      open.add(requestId, { draft, place });
      keep(place.segment, place.length);
      afterStored(onWritten);
      return true;
    },
    close(requestId, event, onWritten) {
      if (stopped) throw new Error('The spool has stopped: the request stays open and becomes an orphan');
      const request = open.get(requestId);
      addClosed(requestId, event, onWritten);
      if (request === undefined) return;
      open.delete(requestId);
      // After the closing record was appended: the opening one may go only when that is durable.
      segments.release(request.place.segment);
      reserved -= CLOSE_ROOM_BYTES + request.place.length;
    },
    append(requestId, event, onWritten) {
      if (!isStorableId(requestId) || !hasRoom(CLOSE_ROOM_BYTES)) return false;
      addClosed(requestId, event, onWritten);
      return true;
    },
    state() {
      const { oldest } = outbox;
      return {
        writable: segments.writable && !stopping,
        open: open.size,
        unsent: outbox.length,
        bytes: bytesInUse(),
        oldestUnsentMs: oldest === null ? 0 : Math.max(0, clock.now() - oldest.closedAt),
        epoch: lock.epoch,
      };
    },
    async stop(deadlineMs) {
      if (stopping) return;
      stopping = true;
      const cancels: (() => void)[] = [];
      const deadline = new Promise<void>((resolve) => {
        cancels.push(timers.after(deadlineMs, resolve));
      });
      await Promise.race([segments.flush(), deadline]);
      await sender.drain(deadline);
      stopped = true;
      segments.append(END_KIND, Buffer.alloc(0));
      await Promise.race([segments.flush(), deadline]);
      for (const cancel of cancels) cancel();
      await segments.close();
      await rejected.close();
      await lock.release();
    },
  };
}
