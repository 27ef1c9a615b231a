import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { lease_report, restoreBackup } from '../mirror/generation.ts';
import { lease_ask } from '../mirror/lease-ask.ts';
import { lease_close } from '../mirror/lease-close.ts';
import { lease_beat, lease_declare_lost, lease_register } from '../mirror/lease-node.ts';
import { lease_correct, lease_post } from '../mirror/lease-post.ts';
import { lease_release } from '../mirror/lease-release.ts';
import { lease_return } from '../mirror/lease-return.ts';
import {
  changeAmount as changeMirrorAmount,
  createLimit,
  raiseLimit as raiseMirrorLimit,
  resetLimit,
  sealLimit,
} from '../mirror/limits.ts';
import type { LeaseDatabase } from '../mirror/tables.ts';
import { copyDatabase, emptyDatabase } from '../mirror/tables.ts';
import { isOver } from '../mirror/windows.ts';
import {
  backup,
  counterId,
  counterPlace,
  instant,
  limitId,
  nodeId,
  prepareRestores,
  restore,
  showMirror,
  showSql,
} from './against-mirror.ts';
import {
  brokenBooks,
  changeAmount,
  insertLimit,
  insertOrganization,
  leaseFunctions,
  raiseLimit,
  setTestClock,
  stopClock,
} from './lease-functions.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await stopClock(database, instant(0));
  const { db } = database.writer;
  await insertOrganization(db);
  await insertLimit(db, { number: 1, amount: 10n });
  await insertLimit(db, { number: 2, amount: 10n, kind: 'minute' });
  await insertLimit(db, { number: 3, amount: 10n, kind: 'rolling', windowSeconds: 60 });
  await prepareRestores(database);
});
afterAll(() => database.drop());

/** What both were asked, and what each answered. */
type Step = { readonly call: string; readonly mirror: unknown; readonly sql: unknown };

function isOverByNow(mirror: LeaseDatabase, name: string): boolean {
  const counter = mirror.budget_counters.find((row) => row.counter === name);
  const limit = mirror.budget_limits.find((row) => row.limit === counter?.limit);
  return counter !== undefined && limit !== undefined && isOver(mirror, counter, limit);
}

/** One step of anything, with numbers from a tape that ends the run when it is used up. */
async function anything(mirror: LeaseDatabase, up: (top: number) => number, kept: { backup: LeaseDatabase | null }): Promise<Step> {
  const functions = leaseFunctions(database.writer.db);
  const node = `n${up(2)}`;
  const current = mirror.lease_nodes.find((row) => row.node === node);
  // Mostly the epoch that the node is in, and mostly what it knows.
  const epoch = up(4) > 0 && current !== undefined ? current.epoch : 1 + up(3);
  const incarnation = up(12) === 0 ? 'copy' : `${node}${epoch}`;
  const amount = (): bigint => BigInt(up(7));
  const counter = mirror.budget_counters[up(mirror.budget_counters.length)]?.counter ?? 'l0/0:0/g';
  const lease = mirror.leases.find((row) => row.counter === counter && row.node === node && row.epoch === epoch);
  const generation = mirror.generation.generation - (up(12) === 0 ? 1 : 0);
  switch (up(17)) {
    case 0: {
      const next = current === undefined ? 1 : current.epoch + (up(6) > 0 ? 1 : 0);
      const open = mirror.leases.filter((row) => row.node === node && row.epoch < next && row.closed_at === null);
      const finals = open.filter(() => up(4) > 0).map((row) => ({ counter: row.counter, epoch: row.epoch, final: amount() }));
      const torn = up(2) === 0 ? [next - 1] : [];
      const moved = up(4) === 0;
      return {
        call: `register ${node} ${next}`,
        mirror: lease_register(mirror, { node, epoch: next, incarnation, finals, torn, moved }),
        sql: await functions
          .register(
            nodeId(node),
            next,
            incarnation,
            finals.map((each) => ({ ...each, counter: counterId(each.counter), place: counterPlace(each.counter) })),
            {
              torn,
              moved,
            },
          )
          .then((answer) => ({ ...answer, generation: Number(answer.generation), wait_ms: Number(answer.wait_ms) })),
      };
    }
    case 1:
    case 2: {
      const beat = up(5) > 0 ? (current?.beat ?? 0) : up(3);
      const nonce = up(5) > 0 ? `${up(1000)}` : (current?.nonce ?? 'none');
      const returned = lease === undefined ? [] : [{ counter, returned: amount() }];
      const answered = lease_beat(mirror, { node, epoch, incarnation, generation, beat, nonce, returned });
      const rows = await functions.beat(
        nodeId(node),
        epoch,
        incarnation,
        beat,
        nonce,
        returned.map((each) => ({ ...each, counter: counterId(each.counter) })),
        { generation },
      );
      const [first] = rows;
      const leases = rows.flatMap(({ counter_id, limit_id, group_key, granted, gone, wanted, amount: of, limit_version }) =>
        counter_id === null
          ? []
          : [{ limit: limit_id, group: group_key, counter: counter_id, granted, gone, wanted, amount: of, version: limit_version }],
      );
      const byCounter = (one: { counter: string }, other: { counter: string }): number => (one.counter < other.counter ? -1 : 1);
      return {
        call: `beat ${node} ${epoch}`,
        mirror: {
          ...answered,
          leases: answered.leases
            .map((each) => ({ ...each, limit: limitId(each.limit), counter: counterId(each.counter) }))
            .sort(byCounter),
        },
        sql: {
          status: first?.status,
          nonce,
          beat: Number(first?.beat),
          generation: Number(first?.generation),
          reconciling: first?.reconciling,
          live: first?.live,
          leases,
        },
      };
    }
    case 3: {
      const items = [{ counter, returned: up(3) > 0 ? (lease?.returned ?? 0n) + amount() : amount() }];
      const answered = lease_return(mirror, { node, epoch, items });
      const [row] = await functions.giveBack(
        nodeId(node),
        epoch,
        items.map((each) => ({ ...each, counter: counterId(each.counter) })),
      );
      return {
        call: `return ${node} ${epoch} ${counter}`,
        mirror: answered.items.map(({ outcome, granted, returned }) => [answered.status, outcome, granted, returned])[0] ?? [
          answered.status,
          null,
          null,
          null,
        ],
        sql: [row?.status, row?.outcome, row?.granted, row?.returned],
      };
    }
    case 4:
    case 5:
    case 6: {
      const debit = amount();
      const hold = { counter, node, epoch, debit, cost: up(2) === 0 ? debit : amount() };
      lease_post(mirror, [hold]);
      await functions.post([{ ...hold, counter: counterId(counter), node: nodeId(node) }]);
      return { call: `post ${node} ${epoch} ${counter}`, mirror: null, sql: null };
    }
    case 7: {
      const [delta, postedAt] = [BigInt(up(5) - 2), mirror.now - up(90_000)];
      lease_correct(mirror, { counter, delta, posted_at: postedAt });
      await functions.correct(counterId(counter), delta, instant(postedAt));
      return { call: `correct ${counter} ${delta}`, mirror: null, sql: null };
    }
    case 8:
      return { call: `lost ${node}`, mirror: lease_declare_lost(mirror, { node }).status, sql: await functions.declareLost(nodeId(node)) };
    case 9: {
      const spent = amount();
      return {
        call: `release ${node} ${epoch} ${counter}`,
        mirror: lease_release(mirror, { node, counter, epoch, spent, reason: 'found nothing' }),
        sql: await functions.release(nodeId(node), counterId(counter), epoch, spent, 'found nothing'),
      };
    }
    case 10: {
      const limit = `l${up(3)}`;
      const kind = up(12);
      if (kind === 0) {
        resetLimit(mirror, limit);
        await functions.reset(limitId(limit));
      } else if (kind === 1 && up(4) === 0) {
        sealLimit(mirror, limit);
        await sql`update budget_limits set sealed_at = coalesce(sealed_at, lease_now()) where id = ${limitId(limit)}`.execute(
          database.writer.db,
        );
      } else if (kind < 5) {
        const raise = up(4) === 0 ? null : { by: BigInt(1 + up(6)), until: mirror.now + 1_000 + up(60_000) };
        raiseMirrorLimit(mirror, limit, raise);
        await raiseLimit(database.writer.db, limitId(limit), raise === null ? null : { by: raise.by, until: instant(raise.until) });
      } else {
        const to = BigInt(4 + up(8));
        changeMirrorAmount(mirror, limit, to);
        await changeAmount(database.writer.db, limitId(limit), to);
      }
      return { call: `change ${limit} ${kind}`, mirror: null, sql: null };
    }
    case 11: {
      mirror.now += up(3) > 0 ? up(20_000) : up(8) > 0 ? up(90_000) : 370_000;
      await setTestClock(database, instant(mirror.now));
      return { call: `clock ${mirror.now}`, mirror: null, sql: null };
    }
    case 12: {
      const beat = current?.beat ?? 0;
      const leases = mirror.budget_counters
        .filter(() => up(2) === 0)
        .map((row) => ({ counter: row.counter, epoch, granted: amount(), returned: amount(), final: up(3) > 0 ? null : amount() }));
      const torn = up(4) === 0 ? [epoch - 1] : [];
      return {
        call: `report ${node} ${epoch}`,
        mirror: lease_report(mirror, { node, epoch, incarnation, generation, beat, leases, torn }),
        sql: await functions
          .report(
            nodeId(node),
            epoch,
            incarnation,
            generation,
            beat,
            leases.map((each) => ({ ...each, counter: counterId(each.counter), place: counterPlace(each.counter) })),
            torn,
          )
          .then((answer) => ({ ...answer, generation: Number(answer.generation) })),
      };
    }
    case 13: {
      if (kept.backup === null || up(3) > 0) {
        kept.backup = copyDatabase(mirror);
        await backup(database);
        return { call: 'backup', mirror: null, sql: null };
      }
      const tells = up(2) === 0;
      restoreBackup(mirror, kept.backup, tells ? `t${mirror.now}` : mirror.timeline);
      await restore(database, 'kept', mirror.generation.timeline !== mirror.timeline);
      return { call: `restore ${tells}`, mirror: null, sql: null };
    }
    case 14: {
      // Mostly one that can be closed, and mostly at what it had room for.
      const over = mirror.leases.find((row) => row.closed_at === null && row.granted > row.returned && isOverByNow(mirror, row.counter));
      const closing = over !== undefined && up(5) > 0 ? over : { node, epoch, counter, granted: 1n, returned: 0n };
      const room = closing.granted - closing.returned;
      const final = up(4) > 0 ? amount() % (room + 1n) : room + amount();
      const answered = lease_close(mirror, { ...closing, items: [{ counter: closing.counter, final }] });
      const [row] = await functions.close(nodeId(closing.node), closing.epoch, [{ counter: counterId(closing.counter), final }]);
      return {
        call: `close ${closing.node} ${closing.epoch} ${closing.counter} ${final}`,
        mirror: [answered.status, answered.generation, answered.outcomes[0] ?? null],
        sql: [row?.status, Number(row?.generation), row?.outcome],
      };
    }
    default: {
      const known = up(4) > 0 ? (lease?.granted ?? 0n) : up(2) === 0 ? 0n : amount();
      const named = {
        limit: counter.slice(0, 2),
        group: counter.split('/')[2] ?? '',
        counter,
        next: false,
        known,
        need: amount(),
        want: amount(),
      };
      const others = ['l0', 'l1', 'l2'].filter((limit) => limit !== named.limit && up(2) === 0);
      const items = [
        ...(up(2) === 0 ? [named] : []),
        ...others.map((limit) => ({
          limit,
          group: `g${up(2)}`,
          counter: null,
          next: up(6) === 0,
          known: 0n,
          need: amount(),
          want: amount(),
        })),
      ];
      const [live, all] = [1 + up(2), up(2) === 0];
      const answered = lease_ask(mirror, { node, epoch, generation, items, live, all });
      const rows = await functions.ask(
        nodeId(node),
        epoch,
        items.map((item) => ({ ...item, limit: limitId(item.limit), counter: item.counter === null ? null : counterId(item.counter) })),
        { generation, live, all },
      );
      const refused = answered.status !== 'answered';
      return {
        call: `ask ${node} ${epoch} ${items.map((item) => `${item.counter ?? `${item.limit}/${item.group}`} ${item.known} ${item.need} ${item.want}`).join(', ')}`,
        mirror: answered.items.map((item) => {
          const short = item.outcome === 'short' ? [item.unsettled, item.stuck] : [null, null];
          const name = item.counter === null ? null : counterId(item.counter);
          if (refused || item.counter === null) return [answered.status, answered.generation, item.outcome, item.granted];
          return [
            answered.status,
            answered.generation,
            item.outcome,
            item.granted,
            name,
            item.amount,
            item.rest,
            ...short,
            item.ends_in_ms,
            item.opens_in_ms,
          ];
        }),
        sql: rows.map((row) => {
          const head = [row.status, Number(row.generation), row.outcome, row.granted];
          if (row.status !== 'answered' || row.counter_id === null) return head;
          const ends = row.ends_in_ms === null ? null : Math.max(0, Number(row.ends_in_ms));
          return [...head, row.counter_id, row.amount, row.rest, row.unsettled, row.stuck, ends, Number(row.opens_in_ms)];
        }),
      };
    }
  }
}

test('whatever is called with whatever, the functions answer and leave behind what their mirror does', async () => {
  const tapes = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 1_000, maxLength: 1_000 });
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(tapes, async (tape) => {
      await restore(database, 'first', false);
      await setTestClock(database, instant(0));
      const mirror = emptyDatabase();
      createLimit(mirror, 'l0', 10n);
      createLimit(mirror, 'l1', 10n, { kind: 'fixed', length_ms: 60_000 });
      createLimit(mirror, 'l2', 10n, { kind: 'rolling', length_ms: 60_000 });
      for (const node of ['n0', 'n1']) {
        lease_register(mirror, { node, epoch: 1, incarnation: `${node}1`, finals: [], torn: [], moved: false });
        await leaseFunctions(database.writer.db).register(nodeId(node), 1, `${node}1`);
      }
      const kept = { backup: null };
      const calls: string[] = [];
      let at = 0;
      const up = (top: number): number => {
        const number = tape[at] ?? 0;
        at += 1;
        return top === 0 ? 0 : number % top;
      };
      while (at < tape.length) {
        const step = await anything(mirror, up, kept);
        calls.push(step.call);
        for (const [word] of JSON.stringify(step.sql, (_key, value: unknown) => (typeof value === 'bigint' ? '' : value))?.matchAll(
          /[g-z][a-z]{3,}|forgotten|copied|closed|fenced|answered/g,
        ) ?? []) {
          seen.add(word);
        }
        expect(step.sql, calls.join('\n')).toEqual(step.mirror);
        expect(await showSql(database), calls.join('\n')).toEqual(showMirror(mirror));
      }
      expect(await brokenBooks(database.owner.db)).toEqual([]);
    }),
    { seed: 20_261_121, numRuns: 8, endOnFailure: true },
  );
  // The sequences come everywhere.
  expect([...seen]).toEqual(
    expect.arrayContaining([
      ...['granted', 'held', 'short', 'withheld', 'gone', 'answered', 'fenced', 'reconciling', 'returned', 'forgotten', 'taken', 'copied'],
      ...['registered', 'wait', 'superseded', 'staged', 'resumed', 'settled', 'stale', 'lost', 'unknown', 'released', 'living'],
      ...['closed', 'open'],
    ]),
  );
}, 300_000);
