import type { Compilable, Kysely } from 'kysely';
import { CompiledQuery } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';

/** What was made of what was read last, to be read again. */
export interface KnownItems<Item> {
  /** Reads so far. */
  reads: number;
  /** By uuid. `found` is the number of the read that last found it. */
  readonly byId: Map<string, { readonly digest: string; readonly item: Item; found: number }>;
}

/** Digests that one turn of the event loop parses, and rows of which one turn makes something: some 2 ms each. */
const DIGESTS_PER_TURN = 500;
const ITEMS_PER_TURN = 125;

/**
 * Reads what has changed since it was last read. Whoever reads serves requests meanwhile: tens of thousands of rows at once hold everything up while
 * they are parsed, and again while what they left is collected. So the database says of each what it is by a digest, in turns of the event loop, and of
 * what is known by that digest nothing more is asked; its item stays the same object.
 * @param options.name of the cursor: plain text, and no other of this transaction has it.
 * @param options.digests finds all there is. A digest covers everything that `read` makes an item of.
 * @param options.known brought up to date, in place: made anew it would outlive a collection of what the turns leave, and be most of its work. A read
 *   that fails may leave part of it newer than the rest; each item is what its digest says all the same.
 * @param options.read makes items of these; one that it leaves out is left out.
 * @returns in the order of `digests`.
 */
export async function readChanged<Item>(options: {
  readonly trx: Kysely<Database>;
  readonly name: string;
  readonly digests: Compilable<{ readonly id: string; readonly digest: string }>;
  readonly known: KnownItems<Item>;
  readonly read: (ids: readonly string[]) => Promise<ReadonlyMap<string, Item>>;
}): Promise<readonly Item[]> {
  const { trx, name, known, read } = options;
  const { byId } = known;
  known.reads += 1;
  const { sql, parameters } = options.digests.compile();
  await trx.executeQuery(CompiledQuery.raw(`declare ${name} no scroll cursor for ${sql}`, [...parameters]));
  const all: Item[] = [];
  for (let fetched = DIGESTS_PER_TURN; fetched === DIGESTS_PER_TURN; ) {
    const { rows } = await trx.executeQuery<{ id: string; digest: string }>(CompiledQuery.raw(`fetch ${DIGESTS_PER_TURN} from ${name}`));
    fetched = rows.length;
    const changed = rows.filter(({ id, digest }) => byId.get(id)?.digest !== digest);
    const digestOf = new Map(changed.map(({ id, digest }) => [id, digest]));
    for (let from = 0; from < changed.length; from += ITEMS_PER_TURN) {
      const items = await read(changed.slice(from, from + ITEMS_PER_TURN).map(({ id }) => id));
      for (const [id, item] of items) byId.set(id, { digest: digestOf.get(id) ?? '', item, found: 0 });
    }
    for (const { id, digest } of rows) {
      const one = byId.get(id);
      if (one?.digest !== digest) continue;
      one.found = known.reads;
      all.push(one.item);
    }
  }
  await trx.executeQuery(CompiledQuery.raw(`close ${name}`));
  if (byId.size > all.length) for (const [id, { found }] of byId) if (found !== known.reads) byId.delete(id);
  return all;
}
