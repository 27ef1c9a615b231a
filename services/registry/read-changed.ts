import type { Compilable, Kysely } from 'kysely';
import { CompiledQuery } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';

/** What was made of rows that had this digest together. */
export interface Known<Item> {
  /** uuid. */
  readonly id: string;
  readonly digest: string;
  readonly item: Item;
}

/** Digests that one turn of the event loop parses, and rows of which one turn makes something: some 2 ms each. */
const DIGESTS_PER_TURN = 500;
const ITEMS_PER_TURN = 250;

/**
 * Reads what has changed since it was last read. Whoever reads serves requests meanwhile: tens of thousands of rows at once hold everything up while
 * they are parsed, and again while what they left is collected. So the database says of each what it is by a digest, in turns of the event loop, and of
 * what is known by that digest nothing more is asked; its item stays the same object.
 * @param options.name of the cursor: plain text, and no other of this transaction has it.
 * @param options.digests finds all there is. A digest covers everything that `read` makes an item of.
 * @param options.read makes items of these; one that it leaves out is left out.
 * @returns in the order of `digests`.
 */
export async function readChanged<Item>(options: {
  readonly trx: Kysely<Database>;
  readonly name: string;
  readonly digests: Compilable<{ readonly id: string; readonly digest: string }>;
  readonly before: readonly Known<Item>[];
  readonly read: (ids: readonly string[]) => Promise<ReadonlyMap<string, Item>>;
}): Promise<readonly Known<Item>[]> {
  const { trx, name, read } = options;
  const before = new Map<string, Known<Item>>();
  for (const known of options.before) before.set(known.id, known);
  const { sql, parameters } = options.digests.compile();
  await trx.executeQuery(CompiledQuery.raw(`declare ${name} no scroll cursor for ${sql}`, [...parameters]));
  const all: Known<Item>[] = [];
  for (let found = DIGESTS_PER_TURN; found === DIGESTS_PER_TURN; ) {
    const { rows } = await trx.executeQuery<{ id: string; digest: string }>(CompiledQuery.raw(`fetch ${DIGESTS_PER_TURN} from ${name}`));
    found = rows.length;
    const changed = rows.filter(({ id, digest }) => before.get(id)?.digest !== digest).map(({ id }) => id);
    const items = new Map<string, Item>();
    for (let from = 0; from < changed.length; from += ITEMS_PER_TURN) {
      for (const [id, item] of await read(changed.slice(from, from + ITEMS_PER_TURN))) items.set(id, item);
    }
    for (const { id, digest } of rows) {
      const known = before.get(id);
      const item = items.get(id);
      if (item !== undefined) all.push({ id, digest, item });
      else if (known?.digest === digest) all.push(known);
    }
  }
  await trx.executeQuery(CompiledQuery.raw(`close ${name}`));
  return all;
}
