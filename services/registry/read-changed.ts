import type { Compilable, Kysely } from 'kysely';
import { CompiledQuery } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { collectYoung } from '../runtime/collect-young.ts';
import { endTurn } from '../runtime/in-turns.ts';

/** What was made of what was read last, to be read again. */
export interface KnownItems<Item> {
  /** Reads so far. */
  reads: number;
  /** By uuid. `found` is the number of the read that last found it. */
  readonly byId: Map<string, { readonly digest: string; readonly item: Item; found: number }>;
}

/** A uuid as text, and behind it a SHA-256 in base64. */
const ID_LENGTH = 36;
const DIGEST_LENGTH = 44;
const RECORD_LENGTH = ID_LENGTH + DIGEST_LENGTH;
/** Digests that one turn of the event loop compares, and rows of which one turn makes something: a millisecond or two each. */
const DIGESTS_PER_TURN = 500;
const ITEMS_PER_TURN = 60;
/** Items live on, a kilobyte each. */
const ITEMS_PER_COLLECTION = 120;

/**
 * Reads what has changed since it was last read. Whoever reads serves requests meanwhile: tens of thousands of rows at once hold everything up while
 * they are parsed, and again while what they left is collected. So the database says of each what it is by a digest, hundreds of them in one text, and
 * they are compared in turns of the event loop; of what is known by its digest nothing more is asked, and its item stays the same object.
 * @param options.digests finds all there is, in order. A digest is a SHA-256 in base64 and covers everything that `read` makes an item of.
 * @param options.known brought up to date, in place: made anew it would outlive a collection of what the turns leave, and be most of its work. A read
 *   that fails may leave part of it newer than the rest; each item is what its digest says all the same.
 * @param options.read makes items of these; one that it leaves out is left out.
 * @returns in the order of `digests`.
 */
export async function readChanged<Item>(options: {
  readonly trx: Kysely<Database>;
  readonly digests: Compilable<{ readonly id: string; readonly digest: string }>;
  readonly known: KnownItems<Item>;
  readonly read: (ids: readonly string[]) => Promise<ReadonlyMap<string, Item>>;
}): Promise<readonly Item[]> {
  const { trx, known, read } = options;
  const { byId } = known;
  known.reads += 1;
  const { sql, parameters } = options.digests.compile();
  const { rows } = await trx.executeQuery<{ text: string }>(CompiledQuery.raw(inTexts(sql), [...parameters]));
  const all: Item[] = [];
  let uncollected = 0;
  for (const { text } of rows) {
    const changed = new Map<string, string>();
    for (let at = 0; at < text.length; at += RECORD_LENGTH) {
      const id = text.slice(at, at + ID_LENGTH);
      const one = byId.get(id);
      if (one === undefined || !text.startsWith(one.digest, at + ID_LENGTH))
        changed.set(id, text.slice(at + ID_LENGTH, at + RECORD_LENGTH));
    }
    const ids = [...changed.keys()];
    for (let from = 0; from < ids.length; from += ITEMS_PER_TURN) {
      const items = await read(ids.slice(from, from + ITEMS_PER_TURN));
      // Of its own: a part of the text would keep all of it.
      for (const [id, item] of items)
        byId.set(id, { digest: Buffer.from(changed.get(id) ?? '', 'latin1').toString('latin1'), item, found: 0 });
      uncollected += items.size;
      if (uncollected < ITEMS_PER_COLLECTION) continue;
      uncollected = 0;
      // In a turn of its own: it takes as long as what was made of the rows.
      await endTurn();
      collectYoung();
    }
    for (let at = 0; at < text.length; at += RECORD_LENGTH) {
      const one = byId.get(text.slice(at, at + ID_LENGTH));
      if (one === undefined || !text.startsWith(one.digest, at + ID_LENGTH)) continue;
      one.found = known.reads;
      all.push(one.item);
    }
    await endTurn();
  }
  if (byId.size > all.length) for (const [id, { found }] of byId) if (found !== known.reads) byId.delete(id);
  return all;
}

/** Ids and digests without anything between them, so many in a row of the answer: a row for each would be most of the work. */
function inTexts(digests: string): string {
  return `select string_agg(id::text || digest, '' order by position) as text
from (select id, digest, row_number() over () as position from (${digests}) as digests) as numbered
group by (position - 1) / ${DIGESTS_PER_TURN} order by (position - 1) / ${DIGESTS_PER_TURN}`;
}
