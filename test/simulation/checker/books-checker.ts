import type { Topic } from '../../../schema/events/topics.ts';
import type { LedgerEntryInsert } from '../../../services/journal/entry-columns.ts';
import type { RollupGrain } from '../../../services/ledger/rollups.ts';
import { ROLLUP_GRAINS } from '../../../services/ledger/rollups.ts';
import type { Books, KeptEntry, PlacedItem } from '../store/books.ts';
import { offsetKey } from '../store/books.ts';
import { grown } from './grown.ts';
import type { LogWitness } from './log-witness.ts';
import type { OnAdvance } from './store-witness.ts';
import type { Verdict } from './verdict.ts';

/** Holds the committed books against their invariants, after every step. */
export interface BooksChecker {
  /** Somebody asks for a partition's offset to be moved. */
  readonly onAdvance: OnAdvance;
  /** Looks at what is new since the last look. */
  look(): void;
  /** Compares the rollups with the entries, whole. */
  lookAtRollups(): void;
  /** Entries by their event's id in text form. */
  readonly entriesByEvent: ReadonlyMap<string, LedgerEntryInsert>;
}

const GRAIN_MS: Readonly<Record<RollupGrain, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

type Sum = { requests: number; cost: bigint; input: bigint };

export function createBooksChecker(options: {
  readonly books: Books;
  readonly topic: Topic;
  readonly witness: LogWitness;
  readonly verdict: Verdict;
  /** Text form of a request's id. */
  readonly eventIdOf: (requestUuid: string) => string;
  readonly onBooked: (eventId: string) => void;
}): BooksChecker {
  const { books, topic, witness, verdict } = options;
  const newEntries = grown(() => books.entries);
  const newPlaces = grown(() => books.placed);
  const entriesByEvent = new Map<string, LedgerEntryInsert>();
  const entryByUuid = new Map<string, LedgerEntryInsert>();
  const offsets = Array.from({ length: topic.partitions }, () => ({ epoch: 0n, next: 0n, owner: '' }));
  /** By organization, position of the newest entry of each partition, to see its order kept. */
  const newestPlaced = new Map<string, { readonly position: bigint; readonly offset: bigint }>();
  /** Who has asked for an offset, by partition and offset. */
  const advances = new Map<string, Set<string>>();
  const sums: Readonly<Record<RollupGrain, Map<string, Sum>>> = { minute: new Map(), hour: new Map(), day: new Map() };

  function lookAtEntry({ entry }: KeptEntry): void {
    const eventId = options.eventIdOf(entry.entry_id);
    if (entriesByEvent.has(eventId)) verdict.breach('no entry twice', eventId);
    entriesByEvent.set(eventId, entry);
    options.onBooked(eventId);
    entryByUuid.set(entry.entry_id, entry);
    for (const grain of ROLLUP_GRAINS) {
      const bucket = Math.floor(entry.occurred_at.getTime() / GRAIN_MS[grain]) * GRAIN_MS[grain];
      const key = `${entry.organization_id} ${entry.api_key_id} ${entry.outcome} ${bucket}`;
      const sum = sums[grain].get(key) ?? { requests: 0, cost: 0n, input: 0n };
      sum.requests += 1;
      sum.cost += entry.cost ?? 0n;
      sum.input += entry.tokens_input ?? 0n;
      sums[grain].set(key, sum);
    }
  }

  /** Everything a partition's offset passed over was dealt with in the same moment. */
  function lookAtOffset(partition: number): void {
    const known = offsets[partition];
    const kept = books.offsets.get(offsetKey(topic.name, partition));
    if (known === undefined || kept === undefined) return;
    const { epoch, nextOffset } = kept;
    if (nextOffset < known.next) verdict.breach('offsets only grow', `partition ${partition} went from ${known.next} to ${nextOffset}`);
    if (epoch < known.epoch) verdict.breach('epochs only grow', `partition ${partition} went from ${known.epoch} to ${epoch}`);
    for (let offset = known.next; offset < nextOffset; offset++) {
      const record = witness.handed(partition, offset);
      if (record === undefined) continue;
      if (books.deadLetters.has(`${topic.name}/${partition}/${offset}`)) continue;
      if (!entriesByEvent.has(record.eventId))
        verdict.breach(
          'entries and offset move together',
          `${partition}/${offset} (${record.eventId}) was passed over and is not in the books`,
        );
    }
    // The one before and the one now: a partition may be moved and taken over within one step.
    const askers = advances.get(`${partition}/${nextOffset}`);
    if (nextOffset > known.next && askers?.has(known.owner) !== true && askers?.has(kept.owner) !== true)
      verdict.breach(
        'only the owner moves an offset',
        `partition ${partition} of ${kept.owner} was moved to ${nextOffset} by somebody else`,
      );
    known.owner = kept.owner;
    known.epoch = epoch;
    known.next = nextOffset;
  }

  function lookAtPlace(item: PlacedItem): void {
    const journal = books.journals.get(item.organizationId) ?? [];
    if (journal[Number(item.position)]?.id !== item.id)
      verdict.breach('positions are dense per organization', `${item.organizationId} has no ${item.id} at ${item.position}`);
    const entry = entryByUuid.get(item.id);
    if (item.kind !== 'entry') return;
    if (entry === undefined) {
      verdict.breach('only committed entries get a position', item.id);
      return;
    }
    const key = `${item.organizationId} ${entry.log_partition}`;
    const newest = newestPlaced.get(key);
    const offset = entry.log_offset ?? -1n;
    if (newest !== undefined && (item.position <= newest.position || offset <= newest.offset))
      verdict.breach(
        'the journal keeps the order of a partition',
        `${item.id} at ${item.position} came from ${offset}, behind ${newest.offset}`,
      );
    newestPlaced.set(key, { position: item.position, offset });
  }

  return {
    onAdvance: (partition, nextOffset, owner) => {
      const askers = advances.get(`${partition}/${nextOffset}`) ?? new Set();
      advances.set(`${partition}/${nextOffset}`, askers.add(owner));
    },
    entriesByEvent,
    look() {
      const entries = newEntries();
      for (const kept of entries) lookAtEntry(kept);
      for (let partition = 0; partition < topic.partitions; partition++) lookAtOffset(partition);
      for (const { entry } of entries) {
        const partition = entry.log_partition ?? -1;
        if ((entry.log_offset ?? -1n) >= (offsets[partition]?.next ?? 0n))
          verdict.breach(
            'entries and offset move together',
            `${entry.entry_id} is in the books, its offset ${entry.log_offset} is not passed`,
          );
      }
      for (const item of newPlaces().toSorted((left, right) => (left.position < right.position ? -1 : 1))) lookAtPlace(item);
    },
    lookAtRollups() {
      for (const grain of ROLLUP_GRAINS) {
        const kept = new Map<string, Sum>();
        for (const row of books.rollups[grain].values()) {
          const { organization_id, api_key_id, outcome } = row.dimensions;
          const key = `${organization_id} ${api_key_id} ${outcome} ${row.bucketMs}`;
          const sum = kept.get(key) ?? { requests: 0, cost: 0n, input: 0n };
          sum.requests += row.requests;
          sum.cost += row.cost;
          sum.input += row.tokens[0] ?? 0n;
          kept.set(key, sum);
        }
        for (const key of new Set([...kept.keys(), ...sums[grain].keys()])) {
          const [has, owes] = [kept.get(key), sums[grain].get(key)];
          if (has?.requests !== owes?.requests || has?.cost !== owes?.cost || has?.input !== owes?.input)
            verdict.breach('rollups are the sums of entries', `${grain} ${key}: ${textOf(has)} kept, ${textOf(owes)} owed`);
        }
      }
    },
  };
}

function textOf(sum: Sum | undefined): string {
  return sum === undefined ? 'nothing' : `${sum.requests} requests, ${sum.cost} pico, ${sum.input} tokens`;
}
