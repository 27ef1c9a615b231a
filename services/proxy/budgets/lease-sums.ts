import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import { parseRequestSettled } from '../../../schema/events/request-settled-parser.ts';
import type { Carried } from '../../eventlog/spool/carried.ts';
import type { LeaseFinal } from '../admission/leases/lease-state.ts';

/** Sums of debits by lease, of all epochs of this spool under the name that its proxy has now. */
export interface LeaseSums extends Carried {
  add(counter: string, epoch: number, debit: bigint, nowMs: number): void;
  /** Adds what an earlier epoch had left open. */
  orphaned(event: RequestSettled, nowMs: number): void;
  /** Says that an epoch lost its end: what it spent after that nobody knows. */
  tear(epoch: number): void;
  /** Says that a lease is closed at its sum, which is kept for a database that is restored from before. */
  close(counter: string, epoch: number): void;
  /** Of the epochs before this one. */
  finals(epoch: number): readonly LeaseFinal[];
  /** Of this epoch, those that are closed. */
  closedOf(epoch: number): readonly LeaseFinal[];
  /** Epochs that lost their end. */
  torn(): readonly number[];
  /** Forgets what a closed lease or an epoch that is over spent longer ago than a restored database could ask for, and the oldest of more than 20,000. */
  prune(epoch: number, nowMs: number): void;
}

/** A backup that is older does not come back (reference/leases.md section 2). */
const KEPT_MS = 35 * 86_400_000;
/** Up to 160 bytes each: a part stays below 200 KiB. */
const PART_SUMS = 1_000;
/** Sums that nothing is added to any more, 2 MB of a segment. One that is dropped too soon shows as an overrun once the database is restored. */
const MOST_OVER = 20_000;

const Part = Type.Object({
  /** Whose they are; versions before left it out, and no proxy had another name then. */
  node: Type.Optional(Type.String()),
  torn: Type.Array(Type.Integer({ minimum: 1 })),
  sums: Type.Array(
    Type.Object({
      counter: Type.String(),
      epoch: Type.Integer({ minimum: 1 }),
      spent: Type.String({ pattern: '^\\d{1,38}$' }),
      atMs: Type.Number(),
      closed: Type.Boolean(),
    }),
  ),
});
const check = Compile(Part);

type Sum = { readonly counter: string; readonly epoch: number; spent: bigint; atMs: number; closed: boolean };
/** In the canonical bytes of an event that holds nothing, which need not be parsed for it. */
const NO_HOLDS = Buffer.from('"holds":[]');

/**
 * Sums that begin at nothing and are carried by a spool.
 * @param node `nod_…` of the proxy. What the folder's proxy spent under a name that it gave up is for another to say.
 * @throws {TypeError} from `read`, when what is read is none of ours: then nothing may be freed.
 */
export function createLeaseSums(node: string): LeaseSums {
  /** By epoch, then by counter: each settlement adds to several of them, and a text that is put together is hashed anew. */
  let sums = new Map<number, Map<string, Sum>>();
  let torn = new Set<number>();

  const put = (sum: Sum): void => {
    const ofEpoch = sums.get(sum.epoch);
    if (ofEpoch === undefined) sums.set(sum.epoch, new Map([[sum.counter, sum]]));
    else ofEpoch.set(sum.counter, sum);
  };

  const add = (counter: string, epoch: number, debit: bigint, nowMs: number): void => {
    const known = sums.get(epoch)?.get(counter);
    if (known === undefined) {
      put({ counter, epoch, spent: debit, atMs: nowMs, closed: false });
      return;
    }
    known.spent += debit;
    known.atMs = nowMs;
  };

  const addEvent = (event: RequestSettled, nowMs: number): void => {
    if (event.node !== node) return;
    for (const { counter, debit } of event.holds) add(counter, event.epoch, BigInt(debit), nowMs);
  };

  const all = (): Sum[] => [...sums.values()].flatMap((ofEpoch) => [...ofEpoch.values()]);

  return {
    add,
    orphaned: addEvent,
    tear: (epoch) => torn.add(epoch),
    close: (counter, epoch) => {
      const sum = sums.get(epoch)?.get(counter);
      if (sum !== undefined) sum.closed = true;
    },
    closedOf: (epoch) => [...(sums.get(epoch)?.values() ?? [])].filter(({ closed }) => closed).map(finalOf),
    finals: (epoch) =>
      all()
        .filter((sum) => sum.epoch < epoch)
        .map(finalOf),
    torn: () => [...torn],
    prune: (epoch, nowMs) => {
      const over = all()
        .filter((sum) => sum.closed || sum.epoch < epoch)
        .sort((one, other) => other.atMs - one.atMs);
      for (const [index, sum] of over.entries()) {
        if (index < MOST_OVER && sum.atMs >= nowMs - KEPT_MS) continue;
        const ofEpoch = sums.get(sum.epoch);
        ofEpoch?.delete(sum.counter);
        if (ofEpoch?.size === 0) sums.delete(sum.epoch);
      }
      for (const each of torn) if (each < epoch - 100 && !sums.has(each)) torn.delete(each);
    },
    write: () => {
      const written = all().map(({ spent, ...sum }) => ({ ...sum, spent: spent.toString() }));
      const parts: Buffer[] = [];
      for (let from = 0; from === 0 || from < written.length; from += PART_SUMS) {
        const part = { node, torn: from === 0 ? [...torn] : [], sums: written.slice(from, from + PART_SUMS) };
        parts.push(Buffer.from(JSON.stringify(part), 'utf8'));
      }
      return parts;
    },
    read: (parts) => {
      sums = new Map();
      torn = new Set();
      for (const text of parts) {
        const part: unknown = JSON.parse(text.toString('utf8'));
        if (!check.Check(part)) throw new TypeError('the sums of leases in the spool cannot be read');
        if (part.node !== undefined && part.node !== node) continue;
        for (const epoch of part.torn) torn.add(epoch);
        for (const { counter, epoch, spent, atMs, closed } of part.sums) {
          put({ counter, epoch, spent: BigInt(spent), atMs, closed });
        }
      }
    },
    closed: (record) => {
      if (record.value.includes(NO_HOLDS)) return;
      const event = eventOf(record);
      if (event !== null) addEvent(event, event.timings.admittedAt);
    },
  };
}

function finalOf({ counter, epoch, spent }: Sum): LeaseFinal {
  return { counter, epoch, final: spent };
}

function eventOf(record: LogRecord): RequestSettled | null {
  const parsed = parseRequestSettled(record);
  return parsed.ok ? parsed.event : null;
}
