import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import type { Account } from './checker/account.ts';
import { settleAccount } from './checker/account.ts';
import type { Breach } from './checker/verdict.ts';
import { createVerdict } from './checker/verdict.ts';
import { createDice } from './dice.ts';
import { createCounts } from './faults/counts.ts';
import { startNemesis } from './faults/nemesis.ts';
import { startReplacements } from './faults/replacements.ts';
import { startLoad } from './load.ts';
import type { Tampering } from './mutations/tampering.ts';
import type { Profile } from './profile.ts';
import { chooseProfile } from './profile.ts';
import { STILL_HELD, unrestOf } from './rest.ts';
import { createScheduler } from './scheduler.ts';
import { createTrace } from './trace.ts';
import { createWorld } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** Steps under faults and load; what heals and settles the account comes on top. */
  readonly events: number;
  readonly tampering?: Tampering;
  readonly print?: (line: string) => void;
  /** Lines of the trace that are kept. */
  readonly keep?: number;
}

export interface Simulation {
  readonly events: number;
  readonly seed: number;
  readonly profile: Profile;
  /** Null: every invariant held. */
  readonly breach: Breach | null;
  /** Null where a breach ended the run. */
  readonly account: Account | null;
  readonly counts: ReadonlyMap<string, number>;
  readonly steps: number;
  readonly virtualMs: number;
  /** SHA-256 of the trace in hex. */
  readonly trace: string;
  readonly newest: readonly string[];
}

/** Virtual time in which a healed world must have come to rest. */
const REST_WITHIN_MS = 15 * 60_000;
/** Idle room goes back within ten seconds, and a recall lasts half a minute. */
const HELD_WITHIN_MS = 90_000;
/** Another machine waits for so long until it may count on the silence of the one before. */
const SILENCE_MS = 380_000;
const LOOK_EVERY = 25;
/** By the number of the seed, not by dice: the others are the runs they were before there were budgets. */
const BUDGETS_EVERY = 5;
/** Of those with budgets. */
const REPLACEMENTS_EVERY = 165;
const ROLLUPS_EVERY = 1_000;

/** One run: faults and load for so many steps, then healing, then the account. The same options give the same run. */
export async function simulate({ seed, events, tampering = {}, print, keep = 60 }: SimulationOptions): Promise<Simulation> {
  const dice = createDice(seed);
  const trace = createTrace(print === undefined ? { keep } : { keep, print });
  const scheduler = createScheduler(dice.fork('scheduler'), trace);
  const counts = createCounts();
  const verdict = createVerdict();
  const profile = chooseProfile(dice.fork('profile'), seed % BUDGETS_EVERY === 0, seed % REPLACEMENTS_EVERY === 0);
  trace.add(`seed ${seed} ${JSON.stringify(profile)}`);
  const world = createWorld({ profile, scheduler, dice, trace, counts, verdict, tampering });
  const load = startLoad(world);
  const nemesis = startNemesis(world, load.silence);
  const replacements = profile.replacements ? startReplacements(world) : null;
  const heldWithinMs = HELD_WITHIN_MS + (profile.replacements ? SILENCE_MS : 0);

  let leaseTurns = 0;

  async function step(): Promise<boolean> {
    const stepped = await scheduler.step();
    world.books.look();
    if (profile.budgets && world.server.leaseTurns !== leaseTurns) world.leaseChecker.look();
    leaseTurns = world.server.leaseTurns;
    if (scheduler.steps % ROLLUPS_EVERY === 0) world.books.lookAtRollups();
    return stepped && verdict.first === null;
  }

  while (scheduler.steps < events && (await step())) {}
  let account: Account | null = null;
  if (verdict.first === null) {
    trace.add('heals');
    load.end();
    nemesis.heal();
    const deadline = scheduler.now() + REST_WITHIN_MS;
    let unrest: string | null = 'not looked yet';
    let restedAt = scheduler.now();

    while (unrest !== null && scheduler.now() < deadline) {
      for (let more = LOOK_EVERY; more > 0; more--) if (!(await step())) break;
      if (verdict.first !== null) break;
      unrest = replacements?.unrest() ?? unrestOf(world);
      if (unrest !== STILL_HELD) restedAt = scheduler.now();
      else if (scheduler.now() - restedAt > heldWithinMs) break;
    }
    if (unrest !== null && verdict.first === null) verdict.breach('a healed world comes to rest', unrest);
  }
  if (verdict.first === null) {
    world.books.lookAtRollups();
    world.leaseChecker.settle();
    for (const what of world.foreign.missing(world.server.books)) verdict.breach('poison becomes a dead letter', what);
    account = settleAccount({
      model: world.model,
      books: world.server.books,
      topic: REQUESTS_TOPIC,
      entriesByEvent: world.books.entriesByEvent,
      foreign: new Set(),
      verdict,
    });
  }
  if (verdict.first !== null) trace.add(`breach ${verdict.first.invariant}: ${verdict.first.detail}`);
  return {
    seed,
    events,
    profile,
    breach: verdict.first,
    account: verdict.first === null ? account : null,
    counts: counts.all(),
    steps: scheduler.steps,
    virtualMs: scheduler.now(),
    trace: trace.digest(),
    newest: trace.newest,
  };
}
