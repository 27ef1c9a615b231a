import type { LogRecord } from '../../../schema/events/log-record.ts';
import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import type { EventLogProducer } from '../../../services/eventlog/event-log.ts';
import type { Dice } from '../dice.ts';
import type { Books } from '../store/books.ts';
import type { Counts } from './counts.ts';

/** Somebody else who writes to the topic, with or without ill will. */
export interface ForeignRecords {
  /** An acknowledged record of ours once more, to the byte. */
  duplicate(): void;
  /** What is no event. */
  garbage(): void;
  /** An acknowledged event's id with other bytes. */
  reuse(): void;
  /** What it wrote that must be a dead letter and is none. */
  missing(books: Books): readonly string[];
}

const REMEMBERED = 400;

export function createForeignRecords(options: {
  readonly producer: EventLogProducer;
  /** Records that the log acknowledged, oldest first. */
  readonly acknowledged: readonly LogRecord[];
  readonly dice: Dice;
  readonly counts: Counts;
}): ForeignRecords {
  const { producer, dice, counts } = options;
  const poison: { readonly what: string; readonly value: Buffer }[] = [];
  let queue: Promise<void> = Promise.resolve();

  /** One at a time, as the port asks; what is not acknowledged is nobody's. */
  function write(record: LogRecord, onTaken: () => void): void {
    queue = queue.then(() => producer.append(REQUESTS_TOPIC, [record])).then(onTaken, () => {});
  }

  function someOfOurs(): LogRecord | null {
    const { acknowledged } = options;
    return acknowledged.length === 0 ? null : dice.pick(acknowledged.slice(-REMEMBERED));
  }

  return {
    duplicate() {
      const record = someOfOurs();
      if (record !== null) write(record, () => counts.add('log: foreign duplicate taken'));
    },
    garbage() {
      const ours = someOfOurs();
      const value = dice.pick([
        dice.bytes(40),
        Buffer.from(`{"version":7,"n":${dice.below(1_000_000)}}`),
        Buffer.from(`\u0000${dice.below(1_000_000)}`),
        Buffer.concat([(ours?.value ?? Buffer.alloc(20)).subarray(0, 20), dice.bytes(8)]),
      ]);
      const headers = ours !== null && dice.chance(0.5) ? ours.headers : { note: 'none of yours' };
      const record = { key: 'foreign', partition: dice.below(REQUESTS_TOPIC.partitions), headers, value };
      write(record, () => {
        counts.add('log: foreign garbage taken');
        poison.push({ what: 'garbage', value });
      });
    },
    reuse() {
      const record = someOfOurs();
      if (record === null) return;
      const text = record.value.toString();
      // A free request has no field to change that would be noticed by its cost alone: any byte will do.
      const value = Buffer.from(text.replace('"modelAnswered":', `"serviceTier_":${dice.below(1_000_000)},"modelAnswered":`));
      write({ ...record, value }, () => {
        counts.add('log: id used again taken');
        poison.push({ what: 'an id used again', value });
      });
    },
    missing(books) {
      const letters = new Set([...books.deadLetters.values()].map(({ value }) => value.toString('base64')));
      return poison.filter(({ value }) => !letters.has(value.toString('base64'))).map(({ what }) => what);
    },
  };
}
