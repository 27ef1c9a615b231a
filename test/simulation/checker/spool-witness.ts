import type { DiskObserver, DiskWrite } from '../../harness/volatile-disk.ts';
import type { SpoolFact } from './spool-frames.ts';
import { readSpoolFacts } from './spool-frames.ts';

/** What really stands on the disk of one proxy, told by the disk itself. */
export interface SpoolWitness {
  readonly observer: DiskObserver;
  /** Whether its settlement was handed to the disk, whole: there it survives the death of the process. */
  isClosed(requestId: string): boolean;
  /** Whether its settlement survives the machine's loss. */
  isClosedDurably(requestId: string): boolean;
  /** The same of its opening record. */
  isOpenedDurably(requestId: string): boolean;
  /** What is left after a power cut is on the platter. */
  powerCutLeft(closed: Iterable<string>): void;
  /** Whether the disk said of a record of it that it is durable, and it is not yet. */
  wasLiedTo(requestId: string): boolean;
}

export function createSpoolWitness(directory: string): SpoolWitness {
  const facts = new WeakMap<DiskWrite, readonly SpoolFact[]>();
  const closed = new Set<string>();
  const durable = new Set<string>();
  const openDurable = new Set<string>();
  const lied = new Set<string>();
  const told = (writes: readonly DiskWrite[]): readonly SpoolFact[] => writes.flatMap((write) => facts.get(write) ?? []);

  return {
    observer: {
      written(path, write) {
        if (!path.startsWith(directory)) return;
        facts.set(write, readSpoolFacts(write.bytes));
        for (const fact of told([write])) if (fact.kind === 'close') closed.add(fact.requestId);
      },
      durable(_path, writes) {
        for (const fact of told(writes)) {
          if (fact.kind === 'close') durable.add(fact.requestId);
          if (fact.kind === 'open') openDurable.add(fact.requestId);
          if (fact.kind !== 'other') lied.delete(`${fact.kind} ${fact.requestId}`);
        }
      },
      lied(_path, writes) {
        for (const fact of told(writes)) if (fact.kind !== 'other') lied.add(`${fact.kind} ${fact.requestId}`);
      },
      failed() {},
    },
    isClosed: (requestId) => closed.has(requestId),
    isClosedDurably: (requestId) => durable.has(requestId),
    isOpenedDurably: (requestId) => openDurable.has(requestId),
    powerCutLeft: (left) => {
      for (const requestId of left) durable.add(requestId);
    },
    wasLiedTo: (requestId) => lied.has(`open ${requestId}`) || lied.has(`close ${requestId}`),
  };
}

/** What a later process can find of each request in a spool's files. */
export function surviving(files: ReadonlyMap<string, Buffer>): {
  readonly open: ReadonlySet<string>;
  readonly closed: ReadonlySet<string>;
} {
  const open = new Set<string>();
  const closed = new Set<string>();
  for (const [path, bytes] of files) {
    if (!path.endsWith('.segment')) continue;
    for (const fact of readSpoolFacts(bytes)) {
      if (fact.kind === 'open') open.add(fact.requestId);
      else if (fact.kind === 'close') closed.add(fact.requestId);
    }
  }
  return { open, closed };
}
