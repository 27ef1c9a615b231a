import { join } from 'node:path';
import { backoffMs } from '../backoff.ts';
import { pause } from '../timers.ts';
import { frameBytes } from './frame.ts';
import type { RecoveredSegments } from './recovery.ts';
import type { Place, Segment } from './segment.ts';
import { closeFile, createSegment, HEADER_KIND, segmentName } from './segment.ts';
import { createSegmentReader } from './segment-reader.ts';
import type { SegmentedLog, SegmentedLogOptions } from './segmented-log.ts';
import { createStaging } from './staging.ts';

type Chunk = {
  readonly bytes: Buffer;
  segment: Segment;
  position: number;
  readonly lastSequence: number;
  written: readonly (() => void)[];
};
type Waiter = { readonly sequence: number; readonly run: () => void };

const RETRY = { firstMs: 100, mostMs: 2_000 };

/** Goes on from what was recovered, always in a segment of its own. @throws when the disk does not take the new segment. */
export async function createSegmentedLog(options: SegmentedLogOptions, recovered: RecoveredSegments): Promise<SegmentedLog> {
  const { disk, directory, timers, log } = options;
  const segments = [...recovered.segments];
  let nextNumber = recovered.nextNumber;
  let lastSequence = recovered.nextSequence - 1;
  let syncedSequence = lastSequence;
  const staging = createStaging();
  let writtenCallbacks: (() => void)[] = [];
  const waiters: Waiter[] = [];
  let unsynced: Chunk[] = [];
  let unsyncedBytes = 0;
  let bytes = segments.reduce((sum, segment) => sum + segment.size, 0);
  let flushScheduled = false;
  let syncScheduled = false;
  let syncing = false;
  let failures = 0;
  let retryScheduled = false;
  let relocating = false;
  let closed = false;
  let prepared: Segment | null = null;
  let preparing = false;
  let relocations = 0;
  let reclaiming = false;
  let lastReclaim: Promise<void> = Promise.resolve();
  let current = await createFile();
  begin(current);
  scheduleFlush();

  async function createFile(): Promise<Segment> {
    const number = nextNumber++;
    const path = join(directory, segmentName(number));
    const file = await disk.create(path);
    try {
      await disk.syncDirectory(directory);
    } catch (error) {
      await file.close().catch(() => {});
      await disk.remove(path).catch(() => {});
      throw error;
    }
    return createSegment(number, path, 0, file);
  }

  /** Makes a segment the one that is written; its header is staged as its first frame. */
  function begin(segment: Segment): void {
    current = segment;
    segments.push(segment);
    const at = staging.add(HEADER_KIND, lastSequence + 1, options.header());
    segment.size = staging.length - at;
    bytes += segment.size;
  }

  function append(kind: number, body: Buffer): Place {
    if (staging.length === 0 && current.size >= options.segmentBytes) rotate();
    const sequence = ++lastSequence;
    staging.add(kind, sequence, body);
    const length = frameBytes(body.length);
    const place = { segment: current, position: current.size, length, sequence };
    current.size += length;
    bytes += length;
    scheduleFlush();
    return place;
  }

  function rotate(): void {
    if (prepared === null || failures > 0) return;
    const next = prepared;
    prepared = null;
    begin(next);
    timers.endOfTurn(() => options.onRotated());
  }

  /** Has the next file ready before it is needed, so that no request waits for it; without one the current segment goes on. */
  function prepare(): void {
    if (prepared !== null || preparing || closed || failures > 0 || current.size < options.segmentBytes / 2) return;
    preparing = true;
    const before = relocations;
    createFile()
      .then(
        (segment) => {
          if (before === relocations) prepared = segment;
          else discard(segment);
        },
        // The current segment goes on beyond its size; what is wrong with the disk shows at its next write.
        (error: unknown) => log.warn({ error, directory }, 'could not prepare the next segment'),
      )
      .finally(() => {
        timers.after(prepared === null ? RETRY.mostMs : 0, () => {
          preparing = false;
        });
      });
  }

  function scheduleFlush(): void {
    if (flushScheduled) return;
    flushScheduled = true;
    timers.endOfTurn(flushTurn);
  }

  function flushTurn(): void {
    flushScheduled = false;
    if (closed || failures > 0 || staging.length === 0) return;
    const chunk = takeStaged();
    try {
      writeChunk(chunk);
    } catch (error) {
      fail(error);
      return;
    }
    runWritten(chunk);
    scheduleSync();
    prepare();
  }

  /** Lets go of a file that nothing counts on; should it stay, recovery copes with it. */
  function discard(segment: Segment): void {
    const closed = segment.file?.close() ?? Promise.resolve();
    closed
      .then(() => disk.remove(segment.path))
      .catch((error: unknown) => log.warn({ error, path: segment.path }, 'could not remove an unused segment'));
  }

  /** What is staged, as a chunk that stays in memory until it is durable. */
  function takeStaged(): Chunk {
    const taken = staging.take();
    const chunk = { bytes: taken, segment: current, position: current.size - taken.length, lastSequence, written: writtenCallbacks };
    writtenCallbacks = [];
    unsynced.push(chunk);
    unsyncedBytes += taken.length;
    return chunk;
  }

  function writeChunk(chunk: Chunk): void {
    if (chunk.segment.file === null) throw new Error('The segment is not open');
    chunk.segment.file.write(chunk.bytes, chunk.position);
  }

  function scheduleSync(): void {
    if (syncScheduled || syncing || failures > 0 || unsynced.length === 0) return;
    syncScheduled = true;
    const start = (): void => {
      syncScheduled = false;
      sync().catch(fail);
    };
    if (options.syncDelayMs === 0) start();
    else timers.after(options.syncDelayMs, start);
  }

  async function sync(): Promise<void> {
    if (syncing || closed || failures > 0) return;
    const covered = unsynced.length;
    const files = new Set(unsynced.map((chunk) => chunk.segment.file));
    syncing = true;
    try {
      for (const file of files) await file?.sync();
    } finally {
      syncing = false;
    }
    // A write failed meanwhile: all of it is about to be written again.
    if (failures > 0) return;
    const done = unsynced.splice(0, covered);
    for (const chunk of done) unsyncedBytes -= chunk.bytes.length;
    syncedSequence = done.at(-1)?.lastSequence ?? syncedSequence;
    runWaiters();
    scheduleSync();
  }

  function fail(error: unknown): void {
    if (closed) return;
    failures++;
    // The relocation under way takes all that is not durable with it; a second one beside it would count what came since as done.
    if (retryScheduled || relocating) return;
    retryScheduled = true;
    // At once the first time: until it is written again, what was told to be written rests on a disk that failed.
    const delayMs = failures === 1 ? 0 : backoffMs(failures - 1, RETRY, options.random);
    log.error(
      { error, directory, unsyncedBytes: unsyncedBytes + staging.length, delayMs },
      'the disk failed: what is not durable will be written again',
    );
    timers.after(delayMs, () => {
      retryScheduled = false;
      relocating = true;
      relocate().catch((failure: unknown) => {
        relocating = false;
        fail(failure);
      });
    });
  }

  /** Writes all that is not durable into a new segment and has it synced. @see SegmentedLog */
  async function relocate(): Promise<void> {
    while (syncing) await pause(timers, 1);
    if (closed) return;
    // Numbers tell the order of segments, so a file made before the new one is not written after it.
    relocations++;
    if (prepared !== null) discard(prepared);
    prepared = null;
    const target = await createFile();
    if (staging.length > 0) takeStaged();
    try {
      await writeAgain(target);
    } catch (error) {
      discard(target);
      throw error;
    }
    log.info({ directory, segment: target.number }, 'the disk takes writes again');
    failures = 0;
    relocating = false;
    runWaiters();
    scheduleFlush();
    scheduleSync();
  }

  async function writeAgain(target: Segment): Promise<void> {
    const header = createStaging();
    header.add(HEADER_KIND, syncedSequence + 1, options.header());
    const chunks = [...unsynced];
    const whole = Buffer.concat([header.take(), ...chunks.map((chunk) => chunk.bytes)]);
    target.file?.write(whole, 0);
    await target.file?.sync();
    let position = whole.length - chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
    for (const chunk of chunks) {
      chunk.segment.moved.push({ from: chunk.position, to: chunk.position + chunk.bytes.length, segment: target, at: position });
      position += chunk.bytes.length;
      unsyncedBytes -= chunk.bytes.length;
    }
    unsynced = unsynced.slice(chunks.length);
    syncedSequence = chunks.at(-1)?.lastSequence ?? syncedSequence;
    adopt(target, whole.length);
    for (const chunk of chunks) runWritten(chunk);
  }

  /** What was staged while the target was written has places in the old segment: the same run of bytes goes to the new one. */
  function adopt(target: Segment, size: number): void {
    const abandoned = current;
    const stagedAt = abandoned.size - staging.length;
    if (staging.length > 0) abandoned.moved.push({ from: stagedAt, to: abandoned.size, segment: target, at: size });
    abandoned.size = stagedAt;
    bytes += size;
    target.size = size + staging.length;
    segments.push(target);
    current = target;
  }

  function runWritten(chunk: Chunk): void {
    const callbacks = chunk.written;
    chunk.written = [];
    runAll(callbacks);
  }

  function runWaiters(): void {
    let ready = 0;
    while (ready < waiters.length && (waiters[ready]?.sequence ?? 0) <= syncedSequence) ready++;
    runAll(waiters.splice(0, ready).map((waiter) => waiter.run));
    runAll([options.onSynced]);
  }

  function runAll(callbacks: readonly (() => void)[]): void {
    for (const callback of callbacks) {
      try {
        callback();
      } catch (error) {
        log.error({ error }, 'a caller of the log failed after its record was stored');
      }
    }
  }

  function reclaim(): Promise<void> {
    if (!reclaiming && !closed) lastReclaim = removeOldest();
    return lastReclaim;
  }

  async function removeOldest(): Promise<void> {
    reclaiming = true;
    try {
      for (;;) {
        const [oldest] = segments;
        if (oldest === undefined || oldest === current || oldest.live > 0 || oldest.freeAfter > syncedSequence) return;
        if (unsynced.some((chunk) => chunk.segment === oldest)) return;
        await closeFile(oldest);
        await disk.remove(oldest.path);
        // In order on disk too: an opening record must not come back after its closing one is gone.
        await disk.syncDirectory(directory);
        segments.shift();
        bytes -= oldest.size;
      }
    } finally {
      reclaiming = false;
    }
  }

  return {
    append,
    whenWritten(callback) {
      if (staging.length === 0 && failures === 0) callback();
      else writtenCallbacks.push(callback);
    },
    whenSynced(callback) {
      if (syncedSequence >= lastSequence) callback();
      else waiters.push({ sequence: lastSequence, run: callback });
    },
    ...createSegmentReader(disk),
    hold(segment) {
      segment.live++;
    },
    release(segment) {
      segment.live--;
      segment.freeAfter = lastSequence;
    },
    reclaim,
    segments,
    get current() {
      return current;
    },
    get writable() {
      return failures === 0;
    },
    get syncedSequence() {
      return syncedSequence;
    },
    get lastSequence() {
      return lastSequence;
    },
    get bytes() {
      return bytes;
    },
    get unsyncedBytes() {
      return unsyncedBytes + staging.length;
    },
    flush: () =>
      new Promise((resolve) => {
        if (syncedSequence >= lastSequence) resolve();
        else waiters.push({ sequence: lastSequence, run: resolve });
      }),
    async close() {
      closed = true;
      // Whoever opens the folder next must not find a file that is about to go.
      await lastReclaim.catch(() => {});
      if (prepared !== null) discard(prepared);
      await Promise.allSettled(segments.map(closeFile));
    },
  };
}
