import type { Happening, ShareWorld } from './share-world.ts';

type Numbers = { readonly below: (limit: number) => number };

/** Weights are such that many walks get as far as shares that move, and some to proxies that are killed or given up. */
function happeningOf(random: Numbers): Happening {
  const pick = random.below(12);
  const of = <Item>(items: readonly [Item, ...Item[]]): Item => items[random.below(items.length)] ?? items[0];
  const chance = random.below(100);
  if (chance < 30) return { kind: 'take', pick, place: random.below(12), amount: 1 + random.below(2) };
  if (chance < 42) return { kind: 'end', pick, unused: random.below(5) };
  if (chance < 50) return { kind: 'tell', pick };
  if (chance < 57) return { kind: 'execute', pick };
  if (chance < 63) return { kind: 'answer', pick };
  if (chance < 84) return { kind: 'talk', pick };
  if (chance < 85) return { kind: 'lose', pick };
  if (chance < 87) return { kind: 'kill', pick };
  if (chance < 89) return { kind: 'leave', pick };
  if (chance < 96) return { kind: 'wait', ms: of([30, 400, 900, 1_100, 9_900]) };
  return { kind: 'wait', ms: of([14_500, 30_000, 44_500, 61_000]) };
}

/** Lets things happen in a world that nobody planned. */
export async function walk(world: ShareWorld, random: Numbers, steps: number): Promise<void> {
  for (let step = 0; step < steps; step += 1) await world.happen(happeningOf(random));
}
