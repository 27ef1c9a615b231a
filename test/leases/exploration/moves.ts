import * as play from './play.ts';
import type { World } from './world.ts';

export interface Move {
  readonly name: string;
  readonly act: (acts: play.Play) => void;
}

/** Everything that can happen next. What changes nothing leads back to the same state, and costs only its try. */
export function movesOf(world: World): Move[] {
  return [
    ...callMoves(world),
    ...[...world.proxies.keys()].flatMap((node) => nodeMoves(world, node)),
    ...bagMoves(world),
    ...databaseMoves(world),
  ];
}

function callMoves(world: World): Move[] {
  const moves: Move[] = [];
  // Calls that nobody has made yet are alike: the first of each size stands for all.
  const first = new Set<bigint>();
  for (const [index, call] of world.calls.entries()) {
    const { state } = world.proxies[call.node] ?? { state: null };
    if (call.phase === 'new' && !first.has(call.hold)) {
      first.add(call.hold);
      for (const node of world.proxies.keys()) {
        if (world.proxies[node]?.state?.phase === 'running')
          moves.push({ name: `n${node} takes ${call.hold}`, act: (acts) => play.take(acts, node, index) });
        if ((world.proxies[node]?.zombie ?? null) !== null) {
          moves.push({ name: `n${node} without its volume takes ${call.hold}`, act: (acts) => play.takeAsZombie(acts, node, index) });
        }
      }
    }
    if (call.phase === 'running' && state !== null && state.epoch === call.epoch) {
      for (const cost of world.over.map((over) => call.hold + over)) {
        moves.push({ name: `n${call.node} settles ${call.hold} at ${cost}`, act: (acts) => play.settleCall(acts, index, cost) });
      }
    }
    const inReach = world.proxies[call.node]?.disk === true || world.database.timeline !== 't1';
    if (call.phase === 'settled' && call.closeSynced && inReach && (!call.posted || world.faults.reposts > 0)) {
      const act = (acts: play.Play): void => {
        if (call.posted) play.spend(acts.world, 'reposts');
        play.post(acts, index);
      };
      moves.push({ name: `the ledger posts ${call.debit} of n${call.node}`, act });
    }
  }
  return moves;
}

function nodeMoves(world: World, node: number): Move[] {
  const { faults, calls } = world;
  const proxy = world.proxies[node];
  if (proxy === undefined) return [];
  const { name: own, state, disk } = proxy;
  const moves: Move[] = [];
  const fault = (kind: Parameters<typeof play.spend>[1], name: string, act: (acts: play.Play) => void): void => {
    if (faults[kind] <= 0) return;
    moves.push({
      name: `n${node} ${name}`,
      act: (acts) => {
        play.spend(acts.world, kind);
        act(acts);
      },
    });
  };
  if (disk && (state === null || state.phase === 'stopped')) moves.push({ name: `n${node} boots`, act: (acts) => play.boot(acts, node) });
  if (disk) fault('diskLosses', 'loses its disk', (acts) => play.loseDisk(acts, node));
  if (world.database.lease_nodes.some((row) => row.node === own && row.lost_at === null)) {
    fault('declared', 'is declared lost', (acts) => play.declareLost(acts, own));
  }
  if (state === null || state.phase === 'stopped') return moves;
  if (state.phase === 'registering')
    moves.push({ name: `n${node} registers again`, act: (acts) => play.give(acts, node, { kind: 'boot' }) });
  else moves.push({ name: `n${node} beats`, act: (acts) => play.beat(acts, node) });
  if (
    calls.some(
      (call) => call.node === node && ((call.phase === 'running' && !call.openSynced) || (call.phase === 'settled' && !call.closeSynced)),
    )
  ) {
    moves.push({ name: `n${node} syncs`, act: (acts) => play.sync(acts, node) });
  }
  if (state.leases.size > 0) moves.push({ name: `n${node} returns what is idle`, act: (acts) => play.tick(acts, node, true) });
  if ([...state.slots.values()].some((slot) => slot.asking !== null))
    moves.push({ name: `n${node} waits no longer`, act: (acts) => play.timeOut(acts, node) });
  fault('kills', 'is killed', (acts) => play.kill(acts, node));
  fault('powerCuts', 'loses power', (acts) => play.cutPower(acts, node));
  if (state.phase === 'running') {
    fault('stops', 'stops', (acts) => play.stop(acts, node));
    fault('copies', 'is copied while it runs', (acts) => play.copy(acts, node));
    fault('takeovers', 'is taken over', (acts) => play.takeOver(acts, node));
  }
  return moves;
}

function bagMoves(world: World): Move[] {
  return world.bag.flatMap((message, index) => {
    const name = `late ${message.to === 'database' ? message.effect.kind : 'beat' in message ? 'answer to a beat' : 'answer to an ask'} of n${message.node}`;
    const moves: Move[] = [{ name, act: (acts) => play.deliver(acts, index, false) }];
    if (world.faults.duplicates > 0) {
      const act = (acts: play.Play): void => {
        play.spend(acts.world, 'duplicates');
        play.deliver(acts, index, true);
      };
      moves.push({ name: `${name}, kept`, act });
    }
    return moves;
  });
}

function databaseMoves(world: World): Move[] {
  const { faults } = world;
  const moves: Move[] = [];
  const fault = (kind: Parameters<typeof play.spend>[1], name: string, act: (acts: play.Play) => void): void => {
    if (faults[kind] <= 0) return;
    moves.push({
      name,
      act: (acts) => {
        play.spend(acts.world, kind);
        act(acts);
      },
    });
  };
  fault('passes', 'more than the fence and every time to live passes', play.pass);
  fault('waits', 'half of a fence passes', play.wait);
  fault('lowered', 'the limit is lowered to 2', (acts) => play.changeLimit(acts, 2n));
  fault('resets', 'the budget is reset', play.reset);
  fault('backups', 'a backup is made', play.backUp);
  if (world.backup !== null) fault('restores', 'the backup is restored', play.restore);
  return moves;
}
