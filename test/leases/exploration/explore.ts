import { identityOf } from './encode.ts';
import { unhealed } from './heal.ts';
import { broken } from './invariants.ts';
import { movesOf } from './moves.ts';
import type { Parts } from './parts.ts';
import type * as play from './play.ts';
import { copyWorld, type World } from './world.ts';

/** What an exploration came to: every state within the faults was seen, or the shortest way to one in which something does not hold. */
export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  readonly breach: { readonly what: string; readonly trace: readonly string[] } | null;
}

export interface Options {
  readonly parts: Parts;
  /** Look whether it heals in every n-th state; 1: in each. */
  readonly healEvery?: number;
  /** A bound that is a mistake of the scope when it is reached. */
  readonly mostStates: number;
}

interface Seen {
  readonly from: Seen | null;
  readonly move: string;
}

/** Breadth first, so that the first breach found is a shortest one. */
export function explore(start: World, { parts, healEvery = 1, mostStates }: Options): Exploration {
  const known = new Set<number>([identityOf(start)]);
  let frontier: { world: World; seen: Seen }[] = [{ world: start, seen: { from: null, move: 'start' } }];
  let transitions = 0;
  while (frontier.length > 0) {
    const next: { world: World; seen: Seen }[] = [];
    for (const { world, seen } of frontier) {
      for (const move of movesOf(world)) {
        for (const delivery of deliveries(world)) {
          const acts: play.Play = { world: copyWorld(world), parts, delivery, used: false };
          const wrong = attempt(() => move.act(acts));
          if (delivery !== 'sync' && !acts.used && wrong === null) break;
          transitions += 1;
          const way: Seen = { from: seen, move: delivery === 'sync' ? move.name : `${move.name} (${delivery})` };
          const identity = wrong === null ? identityOf(acts.world) : 0;
          // A step that is wrong itself may lead where a right one had led before.
          if (wrong === null && acts.world.breach === null && known.has(identity)) continue;
          known.add(identity);
          const check = healEvery === 1 || known.size % healEvery === 0;
          const what = wrong ?? broken(acts.world) ?? (check ? attempt(() => unhealed(acts.world, parts)) : null);
          if (what !== null) return { states: known.size, transitions, breach: { what, trace: wayTo(way) } };
          if (known.size > mostStates) throw new Error(`more than ${mostStates} states`);
          next.push({ world: acts.world, seen: way });
        }
      }
    }
    frontier = next;
  }
  return { states: known.size, transitions, breach: null };
}

function deliveries({ faults }: World): readonly play.Delivery[] {
  return faults.loose > 0 ? ['sync', 'lost', 'late', 'answer lost', 'answer late'] : ['sync'];
}

/** A statement that refuses to break its own constraint has found the breach. */
function attempt(act: () => unknown): string | null {
  try {
    const said = act();
    return typeof said === 'string' ? said : null;
  } catch (error) {
    return `I1: ${error instanceof Error ? error.message : 'thrown'}`;
  }
}

function wayTo(seen: Seen): string[] {
  const trace: string[] = [];
  for (let at: Seen | null = seen; at !== null; at = at.from) trace.unshift(at.move);
  return trace;
}
