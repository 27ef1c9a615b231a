import { counterView } from '../mirror/view.ts';
import { broken } from './invariants.ts';
import type { Parts } from './parts.ts';
import * as play from './play.ts';
import { copyWorld, limitName, noFaults, type World } from './world.ts';

/**
 * I6 of leases.md §11: from every state, once nothing goes wrong any more, the books come to `held = 0` but for what is lost, and all room that is
 * left can be leased by one who asks. Null, if so; a copy of the world is healed.
 */
export function unhealed(from: World, parts: Parts): string | null {
  const world = copyWorld(from);
  world.faults = noFaults;
  world.bag.splice(0);
  const acts = play.playOf(world, parts);
  if (world.proxies.some((proxy) => proxy.moved)) play.pass(acts);
  const nodes = [...world.proxies.keys()];
  // Of those that were copied one finds out by its beat, and the next start of it goes on from there.
  for (let start = 0; start < (nodes.length > 2 ? 3 : 1); start += 1) {
    for (const node of nodes) {
      const { state, disk } = play.proxyOf(world, node);
      world.proxies[node] = { ...play.proxyOf(world, node), zombie: null };
      if (!disk) declareLost(acts, node);
      else if (state === null || state.phase === 'stopping' || state.phase === 'stopped') {
        play.kill(acts, node);
        play.boot(acts, node);
      } else if (state.phase === 'registering') play.give(acts, node, { kind: 'boot' });
      play.timeOut(acts, node);
    }
    for (let round = 0; round < 2; round += 1) for (const node of nodes) play.beat(acts, node);
  }
  if (world.proxies.some(({ state, disk }) => disk && state === null)) return 'I6: somebody finds its name taken at every start';
  for (const name of abandoned(world)) play.declareLost(acts, name);
  for (const [index, call] of world.calls.entries()) if (call.phase === 'running') play.settleCall(acts, index, call.hold);
  for (const node of nodes) play.sync(acts, node);
  for (const [index, call] of world.calls.entries()) if (call.phase === 'settled' && !call.posted) play.post(acts, index);
  for (const [index, call] of world.calls.entries()) if (call.phase === 'dead') play.discard(acts, index);
  for (const node of nodes) play.tick(acts, node, true);
  for (const node of nodes) play.beat(acts, node);
  for (const node of nodes) play.tick(acts, node, true);
  return broken(world) ?? wrongAtRest(world) ?? unusable(acts);
}

/** Its leases stay held until somebody says that nobody can prove any more what was spent of them. */
function declareLost(acts: play.Play, node: number): void {
  const { name } = play.proxyOf(acts.world, node);
  const isAnothers = acts.world.proxies.some((proxy) => proxy.disk && proxy.name === name);
  if (!isAnothers) play.declareLost(acts, name);
}

/** Names that were given up and that nobody goes on under. */
function abandoned({ database, proxies }: World): string[] {
  return database.lease_nodes.map(({ node }) => node).filter((name) => !proxies.some((proxy) => proxy.name === name));
}

function wrongAtRest(world: World): string | null {
  if (world.database.generation.reconciling) return 'I6: reconciles for ever';
  const disksGone = world.proxies.some((proxy) => !proxy.disk);
  const torn = world.proxies.some((proxy) => proxy.torn.length > 0);
  for (const counter of world.database.budget_counters) {
    const { held, lost } = counterView(world.database, counter);
    if (held !== lost) return `I6: ${held} stays held, of which only ${lost} is lost`;
    if (lost > 0n && !disksGone && !torn) return `I6: ${lost} is called lost, and every disk is there`;
  }
  return null;
}

/** Whoever lives takes the whole rest as one hold. A process that is stopping serves nobody, and was not started again. */
function unusable(acts: play.Play): string | null {
  const { world } = acts;
  const node = world.proxies.findIndex((proxy) => proxy.state?.phase === 'running');
  if (node === -1) return null;
  const limit = world.database.budget_limits.find((row) => row.limit === limitName);
  const counter = world.database.budget_counters.find((row) => row.limit === limitName && row.sealed_at === null);
  if (limit === undefined) return null;
  const view = counter === undefined ? null : counterView(world.database, counter);
  const rest = limit.amount - (view === null ? 0n : view.settled + view.held);
  if (rest <= 0n) return null;
  const index = world.calls.push({ ...play.noCall, hold: rest }) - 1;
  play.take(acts, node, index);
  return world.calls[index]?.phase === 'running' ? null : `I6: ${rest} is left, and cannot be leased`;
}
