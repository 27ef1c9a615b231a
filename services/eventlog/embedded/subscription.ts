import type { SubscribeOptions } from '../event-log.ts';
import { EventLogError } from '../event-log.ts';
import type { Timers } from '../timers.ts';
import type { Journal } from './journal.ts';

/** One subscription as a member of its group. */
export interface Member {
  /** Starts a partition that is not ours yet. */
  assign(partition: number): void;
  /** Gives up every partition that is not to be kept. */
  keepOnly(keep: (partition: number) => boolean): void;
  pause(): void;
  resume(): void;
  /** Takes no new batch, waits for those under way, and gives everything up. */
  stop(): Promise<void>;
}

/** One partition while it is ours. A later assignment of the same partition is another one. */
type Assignment = { readonly partition: number; revoked: boolean; readonly running: Promise<void> };

export function createMember(options: {
  readonly journal: Journal;
  readonly subscription: SubscribeOptions;
  readonly retryDelayMs: number;
  readonly timers: Timers;
}): Member {
  const { journal, subscription, timers } = options;
  const assignments = new Map<number, Assignment>();
  let paused = false;
  let stopping = false;
  let wakers: (() => void)[] = [];
  const unlisten = journal.onDurable(wake);

  function wake(): void {
    const woken = wakers;
    wakers = [];
    for (const waker of woken) waker();
  }

  /** Resolves at the next event that may change what a partition can do. */
  function change(): Promise<void> {
    return new Promise((resolve) => {
      wakers.push(resolve);
    });
  }

  async function run(assignment: Assignment): Promise<void> {
    while (isLive(assignment)) {
      try {
        await consume(assignment, await subscription.onAssigned(assignment.partition));
      } catch (error) {
        report(error);
        await retryDelay(assignment);
      }
    }
  }

  /** Waits the delay out, whatever wakes the others, but not once the partition is given up. */
  async function retryDelay(assignment: Assignment): Promise<void> {
    let over = false;
    const cancel = timers.after(options.retryDelayMs, () => {
      over = true;
      wake();
    });
    while (!over && isLive(assignment)) await change();
    cancel();
  }

  async function consume(assignment: Assignment, from: bigint): Promise<void> {
    const { partition } = assignment;
    let offset = from;
    while (isLive(assignment)) {
      const { earliest, next } = journal.offsets(partition);
      // Never a silent jump: what is missing is a matter for a person.
      if (offset < earliest || offset > next) {
        throw new EventLogError(`Partition ${partition} is to be read from ${offset}, the log holds ${earliest} to ${next}`, {
          retryable: false,
        });
      }
      if (paused || offset === next) {
        await change();
        continue;
      }
      const records = await journal.read(partition, offset, subscription.maxBatchRecords, subscription.maxBatchBytes);
      const last = records.at(-1);
      if (last === undefined)
        throw new EventLogError(`Partition ${partition} has nothing at ${offset} though it goes on to ${next}`, { retryable: false });
      // It may have been taken from us or paused while the disk was read.
      if (!isLive(assignment) || paused) continue;
      await subscription.onBatch({ partition, records, highWater: journal.offsets(partition).next });
      offset = last.offset + 1n;
    }
  }

  function isLive(assignment: Assignment): boolean {
    return !assignment.revoked && !stopping;
  }

  function report(error: unknown): void {
    try {
      subscription.onError(error);
    } catch {
      // The port asks to be told, not to be stopped.
    }
  }

  function revoke(assignment: Assignment): void {
    assignment.revoked = true;
    assignments.delete(assignment.partition);
    try {
      subscription.onRevoked(assignment.partition);
    } catch (error) {
      report(error);
    }
  }

  return {
    assign(partition) {
      if (stopping || assignments.has(partition)) return;
      let start: (assignment: Assignment) => void = () => {};
      const started = new Promise<Assignment>((resolve) => {
        start = resolve;
      });
      const assignment: Assignment = { partition, revoked: false, running: started.then(run) };
      assignments.set(partition, assignment);
      start(assignment);
    },
    keepOnly(keep) {
      for (const assignment of assignments.values()) if (!keep(assignment.partition)) revoke(assignment);
      wake();
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      wake();
    },
    async stop() {
      if (!stopping) {
        stopping = true;
        unlisten();
      }
      wake();
      await Promise.all([...assignments.values()].map(({ running }) => running));
      for (const assignment of assignments.values()) revoke(assignment);
    },
  };
}
