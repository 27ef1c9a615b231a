import { createHash } from 'node:crypto';
import type { AnsweredShare, ShareAnswer, ShareMessage } from '../../../../services/proxy/shares/share-protocol.ts';

/** A limit that is shared; `periodMs` null: what runs counts. */
export interface MirroredLimit {
  amount: bigint;
  readonly periodMs: number | null;
}

interface Row {
  share: bigint;
  used: bigint;
  want: bigint;
  need: bigint;
  lapsed: boolean;
}

interface Holder {
  epoch: number;
  sequence: number;
  silentAt: number;
  lapsed: boolean;
}

const SILENCE_MS = 60_000;
const LONGEST_PERIOD_MS = 10_000;
const TURN_MS = 5_000;

/** What `share_tell` does (migrations/0034_shares.sql), in memory. A place is `limit/group`. */
export class ShareMirror {
  readonly limits: Map<string, MirroredLimit>;
  readonly #holders = new Map<string, Holder>();
  readonly #places = new Map<string, Map<string, Row>>();
  readonly #onLapsed: (node: string) => void;

  constructor(limits: Map<string, MirroredLimit>, onLapsed: (node: string) => void = () => {}) {
    this.limits = limits;
    this.#onLapsed = onLapsed;
  }

  tell(node: string, epoch: number, { sequence, isFirst, leaving, items }: ShareMessage, now: number): ShareAnswer {
    for (const [other, holder] of this.#holders) {
      if (other === node || holder.lapsed || holder.silentAt > now) continue;
      holder.lapsed = true;
      for (const row of this.#rowsOf(other)) row.lapsed = true;
      this.#onLapsed(other);
    }
    const holder = this.#holders.get(node) ?? { epoch: 0, sequence: 0, silentAt: 0, lapsed: false };
    if (holder.epoch > epoch || (holder.epoch === epoch && holder.sequence >= sequence)) return { status: 'stale', items: [] };
    const isNew = holder.epoch < epoch;
    this.#holders.set(node, { epoch, sequence, silentAt: now + (leaving ? LONGEST_PERIOD_MS : SILENCE_MS), lapsed: false });
    if (isNew) for (const rows of this.#places.values()) if (rows.get(node)?.lapsed === true) rows.delete(node);

    const told = items.map(({ limit, group, keep, used, want, need, ask }): AnsweredShare => {
      const name = `${limit}/${group}`;
      const rows = this.#places.get(name) ?? new Map<string, Row>();
      this.#places.set(name, rows);
      const found = this.limits.get(limit);
      const others = this.#live(rows, node).reduce((sum, row) => sum + row.share, 0n);
      const isShort = this.#isShort(rows, node);
      let share = 0n;
      let part = 0n;
      if (found === undefined || (keep === 0n && used === 0n && ask === 0n)) rows.delete(node);
      else {
        const before = rows.get(node);
        if (before !== undefined && !before.lapsed) share = least(before.share, keep);
        const row = { share, used, want, need, lapsed: false };
        rows.set(node, row);
        const free = found.amount - others - share;
        const ahead = share + free / 2n;
        part = isShort ? this.#part(rows, node, found.amount, now) : greatest(want, least(ask, ahead));
        if (part > share && free > 0n) row.share = least(part, found.amount - others);
        share = row.share;
      }
      const recall = isShort && part < share ? part : null;
      return { limit, group, share, others, amount: found?.amount ?? null, recall, periodMs: found?.periodMs ?? null };
    });

    const names = new Set(items.map(({ limit, group }) => `${limit}/${group}`));
    const besides = [...this.#places].flatMap(([name, rows]): AnsweredShare[] => {
      const row = rows.get(node);
      const [limit = '', group = ''] = name.split('/');
      const found = this.limits.get(limit);
      if (row === undefined || row.lapsed || names.has(name) || found === undefined) return [];
      const isShort = this.#isShort(rows, node);
      const part = this.#part(rows, node, found.amount, now);
      const recall = isShort && part < row.share ? part : null;
      if (!isFirst && recall === null) return [];
      return [{ limit, group, share: row.share, others: null, amount: found.amount, recall, periodMs: found.periodMs }];
    });
    return { status: 'told', items: [...told, ...besides] };
  }

  /** Of all that are heard together. */
  given(limit: string, group: string): bigint {
    return this.#live(this.#places.get(`${limit}/${group}`) ?? new Map(), '').reduce((sum, row) => sum + row.share, 0n);
  }

  *#rowsOf(node: string): Generator<Row> {
    for (const rows of this.#places.values()) {
      const row = rows.get(node);
      if (row !== undefined) yield row;
    }
  }

  #live(rows: ReadonlyMap<string, Row>, without: string): Row[] {
    return [...rows].filter(([node, row]) => node !== without && !row.lapsed).map(([, row]) => row);
  }

  #isShort(rows: ReadonlyMap<string, Row>, without: string): boolean {
    return this.#live(rows, without).some((row) => row.want > row.share);
  }

  #part(rows: ReadonlyMap<string, Row>, node: string, amount: bigint, now: number): bigint {
    const wanting = [...rows].filter(([, row]) => !row.lapsed && row.want > 0n);
    const equal = amount / BigInt(Math.max(wanting.length, 1));
    const rank = (name: string): string =>
      createHash('md5')
        .update(`${name}${Math.floor(now / TURN_MS)}`)
        .digest('hex');
    wanting.sort(([one, a], [other, b]) => Number(a.want > equal) - Number(b.want > equal) || (rank(one) < rank(other) ? -1 : 1));
    let rest = amount;
    for (const [index, [name, row]] of wanting.entries()) {
      const left = BigInt(wanting.length - index);
      const part = least(least(row.want, rest), greatest((rest + left - 1n) / left, row.need));
      if (name === node) return part;
      rest -= part;
    }
    return 0n;
  }
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

function greatest(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
