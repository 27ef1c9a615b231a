import { seededRandom } from '../harness/seeded-random.ts';

/** Chance, repeatable from a seed. Each concern has dice of its own, so that one more throw here changes nothing there. */
export interface Dice {
  readonly fraction: () => number;
  /** An integer from 0 up to but not including `limit`. */
  readonly below: (limit: number) => number;
  /** A number from `least` up to `most`. */
  readonly between: (least: number, most: number) => number;
  /** Whether something of this probability happens. */
  readonly chance: (probability: number) => boolean;
  readonly pick: <Item>(items: readonly Item[]) => Item;
  readonly bytes: (length: number) => Buffer;
  /** Dice of their own for a concern of this name. */
  readonly fork: (name: string) => Dice;
}

export function createDice(seed: number): Dice {
  const random = seededRandom(seed);
  const dice: Dice = {
    fraction: random.fraction,
    below: random.below,
    between: (least, most) => least + (most - least) * random.fraction(),
    chance: (probability) => probability > 0 && random.fraction() < probability,
    pick: (items) => {
      const item = items[random.below(items.length)];
      if (item === undefined) throw new RangeError('nothing to pick from');
      return item;
    },
    bytes: random.bytes,
    fork: (name) => createDice(mix(seed, name)),
  };
  return dice;
}

/** FNV-1a over the name, begun with the seed. */
function mix(seed: number, name: string): number {
  let mixed = (0x811c9dc5 ^ seed) >>> 0;
  for (let at = 0; at < name.length; at++) mixed = Math.imul(mixed ^ name.charCodeAt(at), 0x01000193) >>> 0;
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> 0;
}
