import { expect, test } from 'vitest';
import { REQUESTS_TOPIC } from '../../../../schema/events/topics.ts';
import { EventLogError } from '../../../../services/eventlog/event-log.ts';
import type { SpoolOptions } from '../../../../services/eventlog/spool/open-spool.ts';
import { openSpool } from '../../../../services/eventlog/spool/open-spool.ts';
import { eventually } from '../../../harness/eventually.ts';
import { recordingLog } from '../../../harness/recording-log.ts';
import { seededRandom } from '../../../harness/seeded-random.ts';
import type { VolatileDisk } from '../../../harness/volatile-disk.ts';
import { createVolatileDisk } from '../../../harness/volatile-disk.ts';
import { eventOf } from './spool-harness.ts';

type Ends = 'kill' | 'powerCut' | 'either';

/** What the outside saw: what it was told, and what the event log has. */
class Witness {
  readonly opened = new Set<string>();
  readonly closed = new Set<string>();
  readonly accepted = new Map<string, string>();
  readonly contradictions: string[] = [];

  accept(id: string, value: Buffer): void {
    const bytes = value.toString('latin1');
    if ((this.accepted.get(id) ?? bytes) !== bytes) this.contradictions.push(id);
    this.accepted.set(id, bytes);
  }
}

function optionsOf(seed: number, boot: number, disk: VolatileDisk, durability: SpoolOptions['durability'], witness: Witness): SpoolOptions {
  const random = seededRandom(seed * 31 + boot);
  return {
    directory: '/spool',
    durability,
    segmentBytes: 4_000,
    log: recordingLog(),
    disk,
    random,
    lock: async () => ({ epoch: boot, claimNext: async () => boot + 1, hasLater: async () => false, release: async () => {} }),
    sender: {
      topic: REQUESTS_TOPIC,
      producer: {
        close: async () => {},
        async append(_topic, records) {
          await new Promise((resolve) => setImmediate(resolve));
          // The log may have taken the batch though the answer says nothing.
          const taken = random.fraction() < 0.8;
          if (taken) for (const { headers, value } of records) witness.accept(headers.ce_id ?? '', value);
          if (!taken || random.fraction() < 0.1) throw new EventLogError('away', { retryable: true });
        },
      },
    },
  };
}

/** Lives through several boots of one spool, each ended by force; returns what was wrong. */
async function live(seed: number, durability: SpoolOptions['durability'], end: Ends): Promise<Witness> {
  const random = seededRandom(seed);
  const witness = new Witness();
  let disk = createVolatileDisk(random);
  const pending = new Map<string, number>();
  for (let boot = 1; boot <= 4; boot++) {
    disk.faults = 0;
    const spool = await openSpool(optionsOf(seed, boot, disk, durability, witness));
    // A killed process says nothing any more; here it still runs on for a turn, on a disk that takes nothing.
    let runs = true;
    const says = (whom: Set<string>, id: string) => () => {
      if (runs) whom.add(id);
    };
    const orphans = new Set(spool.orphans.map(({ requestId }) => requestId));
    for (const id of orphans) if (witness.accepted.has(id)) witness.contradictions.push(`${id} is in the log and an orphan`);
    for (const id of orphans) spool.close(id, eventOf(id, 333, 'orphan'), says(witness.closed, id));
    // A failed sync, then a kill before it is mended, then a power cut: nothing survives that, and no process can know of it.
    disk.faults = seed % 3 === 0 && end !== 'either' ? 0.02 : 0;
    const turns = 5 + random.below(25);
    for (let turn = 0; turn < turns; turn++) {
      for (let index = random.below(4); index > 0; index--) {
        const id = `req_${boot}_${turn}_${index}`;
        const size = 1 + random.below(900);
        if (!spool.open(id, `draft of ${id}`, says(witness.opened, id))) continue;
        pending.set(id, size);
      }
      for (const [id, size] of [...pending].filter(() => random.fraction() < 0.4)) {
        pending.delete(id);
        spool.close(id, eventOf(id, size), says(witness.closed, id));
      }
      if (random.fraction() < 0.3) await new Promise((resolve) => setTimeout(resolve, random.below(4)));
      else await new Promise((resolve) => setImmediate(resolve));
    }
    pending.clear();
    runs = false;
    const kills = end === 'kill' || (end === 'either' && random.fraction() < 0.5);
    disk = kills ? disk.kill() : disk.powerCut();
  }
  disk.faults = 0;
  const spool = await openSpool(optionsOf(seed, 9, disk, durability, witness));
  const orphans = new Set(spool.orphans.map(({ requestId }) => requestId));
  await eventually(() => spool.state().unsent === 0);
  await spool.stop(1_000);
  for (const id of orphans) if (witness.accepted.has(id)) witness.contradictions.push(`${id} is in the log and an orphan`);
  if (end === 'kill' || durability === 'strict') {
    for (const id of witness.opened)
      if (!orphans.has(id) && !witness.accepted.has(id)) witness.contradictions.push(`${id} was opened and is lost`);
    for (const id of witness.closed) if (!witness.accepted.has(id)) witness.contradictions.push(`${id} was closed and is not in the log`);
  }
  return witness;
}

test.each<[string, SpoolOptions['durability'], Ends]>([
  ['kill -9, group: nothing onWritten spoke of is lost', 'group', 'kill'],
  ['power cut, strict: nothing onWritten spoke of is lost', 'strict', 'powerCut'],
  ['power cut, group: nothing the event log has is ever an orphan or has other bytes', 'group', 'powerCut'],
  ['kill -9 and power cuts in turn: nothing the event log has is ever an orphan or has other bytes', 'group', 'either'],
])('%s, whatever tears, fails and comes back out of order', { timeout: 120_000 }, async (_name, durability, end) => {
  let events = 0;
  for (let seed = 1; seed <= 25; seed++) {
    const { contradictions, accepted } = await live(seed, durability, end);
    expect(contradictions, `seed ${seed}`).toEqual([]);
    events += accepted.size;
  }
  expect(events).toBeGreaterThan(500);
});
