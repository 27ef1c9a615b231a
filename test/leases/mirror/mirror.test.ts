import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { proveBooks } from './books.ts';
import { lease_report, restoreBackup } from './generation.ts';
import { lease_ask } from './lease-ask.ts';
import { lease_beat, lease_declare_lost, lease_register } from './lease-node.ts';
import { lease_correct, lease_post } from './lease-post.ts';
import { lease_release } from './lease-release.ts';
import { lease_return } from './lease-return.ts';
import { changeAmount, createLimit, resetLimit, sealLimit } from './limits.ts';
import { copyDatabase, emptyDatabase, type LeaseDatabase, type LimitWindow } from './tables.ts';

const windows: readonly LimitWindow[] = [
  { kind: 'lifetime' },
  { kind: 'fixed', length_ms: 60_000 },
  { kind: 'rolling', length_ms: 60_000 },
];

/** Arguments of no protocol at all: whatever is called with whatever, the books must agree. */
function anything(database: LeaseDatabase, dice: () => number): void {
  const up = (top: number): number => Math.floor(dice() * top);
  const node = `n${up(2)}`;
  const epoch = 1 + up(3);
  const amount = (): bigint => BigInt(up(5));
  const counter = database.budget_counters[up(database.budget_counters.length)]?.counter ?? 'l0/0:0/g';
  const known = database.leases.find((row) => row.counter === counter && row.node === node && row.epoch === epoch)?.granted ?? 0n;
  const { generation } = database.generation;
  switch (up(13)) {
    case 0:
      lease_register(database, {
        node,
        epoch,
        incarnation: `${node}${epoch}`,
        finals: [{ counter, epoch: up(3), final: amount() }],
        torn: up(2) === 0 ? [epoch - 1] : [],
        moved: up(4) === 0,
      });
      return;
    case 1:
      lease_beat(database, {
        node,
        epoch,
        incarnation: `${node}${epoch}`,
        generation,
        beat: up(3),
        nonce: `${up(100)}`,
        returned: [{ counter, returned: amount() }],
      });
      return;
    case 2:
      lease_return(database, { node, epoch, items: [{ counter, returned: amount() }] });
      return;
    case 3:
    case 4:
      lease_post(database, [{ counter, node, epoch, debit: amount(), cost: amount() }]);
      return;
    case 5:
      lease_correct(database, { counter, delta: BigInt(up(5) - 2), posted_at: database.now - up(90_000) });
      return;
    case 6:
      lease_declare_lost(database, { node });
      return;
    case 7:
      lease_release(database, { node, counter, epoch, spent: amount(), reason: 'found nothing' });
      return;
    case 8:
      changeAmount(database, `l${up(3)}`, BigInt(4 + up(8)));
      return;
    case 9:
      if (up(8) === 0) resetLimit(database, `l${up(3)}`);
      if (up(20) === 0) sealLimit(database, `l${up(3)}`);
      database.now += up(20_000);
      return;
    case 10:
      lease_report(database, {
        node,
        epoch,
        incarnation: `${node}${epoch}`,
        generation,
        beat: 0,
        leases: [{ counter, epoch, granted: amount(), returned: amount(), final: up(2) === 0 ? null : amount() }],
        torn: [],
      });
      return;
    default: {
      const item = (limit: string, of: string | null) => ({
        limit,
        group: 'g',
        counter: of,
        next: up(6) === 0,
        known: of === null ? 0n : known,
        need: amount(),
        want: amount(),
      });
      const limit = `l${up(3)}`;
      const items = [item(counter.slice(0, 2), counter), item(limit, null)];
      lease_ask(database, { node, epoch, generation, items, live: 1 + up(2), all: up(2) === 0 });
    }
  }
}

describe('the mirror of the lease functions', () => {
  test('keeps settled + held = committed + overrun, the cap and a dense log through 30 sequences of anything', () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const random = seededRandom(seed);
      const dice = (): number => random.fraction();
      const database = emptyDatabase();
      for (const [index, window] of windows.entries()) createLimit(database, `l${index}`, 10n, window);
      let backup: LeaseDatabase | null = null;
      for (let step = 0; step < 120; step += 1) {
        if (step === 40 && seed % 2 === 0) backup = copyDatabase(database);
        if (step === 80 && backup !== null) restoreBackup(database, backup, 't2');
        anything(database, dice);
        if (step % 5 === 4) expect(proveBooks(database), `seed ${seed}, step ${step}`).toEqual([]);
      }
    }
  });
});
