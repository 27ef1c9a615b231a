import type { World } from '../world.ts';

/** Proxies that stand still, and whose volume another machine has meanwhile. */
export interface Replacements {
  /** What is still to come of it; null when there is nothing. */
  unrest(): string | null;
}

/** Shorter than the fence, between it and the wait of the other machine, and longer than both. */
const STILL_MS = [
  [10_000, 200_000],
  [245_000, 340_000],
  [365_000, 480_000],
] as const;
const STRIKES_BY_MS = 12_000;
const RETRY_MS = 200;
/** Applications go on to send to what woke, all the more as it has been silent. */
const PROBES = 40;
const PROBE_EVERY_MS = 2;
/** Then somebody switches it off. */
const SWITCHED_OFF_MS = 2_000;

/** One of the proxies, once, by dice of their own. */
export function startReplacements(world: World): Replacements {
  const { scheduler, counts } = world;
  const dice = world.dice.fork('replacements');
  const [least, most] = dice.pick(STILL_MS);
  const slot = dice.pick(world.proxies);
  let unrest: string | null = `${slot.name} is to be replaced`;

  function strike(): void {
    const stillMs = dice.between(least, most);
    const left = slot.replace(stillMs);
    if (left === null) {
      scheduler.after(RETRY_MS, 'replacement', strike);
      return;
    }
    counts.add('proxy: replaced by another machine');
    unrest = `${left.life.name} stands still`;
    // The first of them waits in its socket: it is read before anything else.
    const probe = (): void => left.life.run('request', left.running.probe);
    probe();
    for (let more = 0; more < PROBES; more++) scheduler.after(stillMs + more * PROBE_EVERY_MS, 'application of before', probe);
    scheduler.after(stillMs + SWITCHED_OFF_MS, 'switched off', () => {
      left.life.die('switched off');
      unrest = null;
    });
  }

  scheduler.after(dice.between(1_000, STRIKES_BY_MS), 'replacement', strike);
  return { unrest: () => unrest };
}
