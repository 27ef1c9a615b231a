import type { LeaseEffect } from '../../../services/proxy/admission/leases/lease-effects.ts';
import type { LeaseInput } from '../../../services/proxy/admission/leases/lease-protocol.ts';
import { copyLeaseState, createLeaseState, leaseTimes } from '../../../services/proxy/admission/leases/lease-state.ts';
import { restoreBackup } from '../mirror/generation.ts';
import { createLimit, resetLimit } from '../mirror/limits.ts';
import { copyDatabase, emptyDatabase } from '../mirror/tables.ts';
import { type Exchange, executed } from './exchange.ts';
import type { Parts } from './parts.ts';
import type { Scope } from './scopes.ts';
import { type Call, copyWorld, type Faults, groupName, limitName, type Message, nodeName, type ProxyProcess, type World } from './world.ts';

/** How the first message of an action fares; the others of the same action arrive and are answered at once. */
export type Delivery = 'sync' | 'lost' | 'late' | 'answer lost' | 'answer late';

/** Longer than the fence, nodeTtl and the wait of a takeover. */
const passMs = 400_000;

/** Half of the fence, so that what counts from the wrong moment is off by a whole one. */
export const waitMs = leaseTimes.fenceMs / 2;

/** One world, played by steps that change it. The explorer copies before it plays. */
export interface Play {
  readonly world: World;
  readonly parts: Parts;
  delivery: Delivery;
  /** Whether the action sent a message that the delivery was for. */
  used: boolean;
}

export function playOf(world: World, parts: Parts, delivery: Delivery = 'sync'): Play {
  return { world, parts, delivery, used: false };
}

export function proxyOf(world: World, node: number): ProxyProcess {
  const proxy = world.proxies[node];
  if (proxy === undefined) throw new Error(`no proxy ${node}`);
  return proxy;
}

function callOf(world: World, call: number): Call {
  const found = world.calls[call];
  if (found === undefined) throw new Error(`no call ${call}`);
  return found;
}

export function spend(world: World, fault: keyof Faults): void {
  world.faults = { ...world.faults, [fault]: world.faults[fault] - 1 };
}

/** Gives a process an input and does what it says, as the rim would. */
export function give(play: Play, node: number, input: LeaseInput): void {
  const { world, parts } = play;
  const proxy = proxyOf(world, node);
  if (proxy.state === null) return;
  const [state, effects] = parts.step(copyLeaseState(proxy.state), input);
  // Outside the model: refusals are forgotten, and what was used in the last seconds is not kept apart.
  for (const slot of state.slots.values()) slot.refusal = null;
  for (const lease of state.leases.values()) {
    lease.usedNow = 0n;
    lease.usedBefore = 0n;
  }
  world.proxies[node] = { ...proxy, state };
  for (const effect of effects) perform(play, node, effect);
}

function perform(play: Play, node: number, effect: LeaseEffect): void {
  const { world, parts } = play;
  const proxy = proxyOf(world, node);
  const epoch = proxy.state?.epoch ?? 0;
  switch (effect.kind) {
    case 'open': {
      const call = Number(effect.request);
      const counter = effect.holds[0]?.counter ?? '';
      if (isUnheardOf(world, node, epoch)) world.breach = 'I3: an owner that the database has not heard of for a fence admitted a request';
      world.calls[call] = {
        ...callOf(world, call),
        phase: 'running',
        node,
        source: proxy.name,
        epoch,
        counter,
        openSynced: !world.syncsLater,
      };
      return;
    }
    case 'raise':
      return;
    case 'refuse': {
      const call = Number(effect.request);
      const known = world.calls[call];
      if (known?.phase === 'waiting') world.calls[call] = { ...known, phase: 'new' };
      return;
    }
    case 'close': {
      const call = Number(effect.request);
      const hold = effect.holds[0];
      if (hold === undefined) return;
      const lease = proxy.state?.leases.get(hold.counter);
      if (hold.cost > hold.debit && lease !== undefined && lease.free > 0n)
        world.breach = 'I5: an overrun beside free room of its own lease';
      const settled = { ...callOf(world, call), phase: 'settled', debit: hold.debit, cost: hold.cost } as const;
      world.calls[call] = { ...settled, actual: billed(settled, call, hold.cost) };
      return;
    }
    case 'exit':
      world.proxies[node] = { ...proxy, state: null };
      if (parts.givesUpName(proxy.epoch, epoch)) world.proxies[node] = { ...proxy, state: null, name: nextName(proxy, node), torn: [] };
      return;
    case 'register':
      if (effect.afterMs > 0) return;
      if (effect.epoch > proxy.epoch) world.proxies[node] = { ...proxy, epoch: effect.epoch };
      send(play, node, epoch, effect);
      return;
    default:
      send(play, node, epoch, effect);
  }
}

/** Others may count on its silence from a time on that is longer than the fence, by the database's clock. Of a restored database nobody knows what it heard. */
function isUnheardOf({ database, proxies }: World, node: number, epoch: number): boolean {
  const row = database.lease_nodes.find((each) => each.node === proxies[node]?.name && each.epoch === epoch);
  return row !== undefined && database.timeline === 't1' && database.now - row.seen_at >= leaseTimes.fenceMs;
}

function send(play: Play, node: number, epoch: number, effect: LeaseEffect): void {
  const { delivery, world } = play;
  const { name, state } = proxyOf(world, node);
  const sender = { name, incarnation: state?.incarnation ?? '' };
  const twoWay = effect.kind === 'ask' || effect.kind === 'beat';
  if (!play.used && delivery !== 'sync' && world.astray.includes(effect.kind) && (twoWay || delivery !== 'answer late')) {
    play.used = true;
    spend(world, 'loose');
    if (delivery === 'late') world.bag.push({ to: 'database', node, epoch, sender, effect });
    else if (delivery === 'lost') unanswered(play, node, effect);
    else {
      const answer = executed(play.parts, world, sender, epoch, effect);
      if (delivery === 'answer late' && (answer.kind === 'ask' || answer.kind === 'beat')) world.bag.push(backOf(node, epoch, answer));
      else unanswered(play, node, effect);
    }
    return;
  }
  hear(play, node, epoch, executed(play.parts, world, sender, epoch, effect));
}

function backOf(node: number, epoch: number, exchange: Extract<Exchange, { kind: 'ask' | 'beat' }>): Message {
  if (exchange.kind === 'ask') return { to: 'node', node, epoch, ask: exchange.ask, answer: exchange.answer };
  return { to: 'node', node, epoch, beat: exchange.answer };
}

function unanswered(play: Play, node: number, effect: LeaseEffect): void {
  if (effect.kind !== 'ask') return;
  give(play, node, { kind: 'answered', ask: effect.ask, sentAt: effect.sentAt, answer: null, at: play.world.database.now });
}

/** An answer reaches the process that asked, if it is still there. */
function hear(play: Play, node: number, epoch: number, exchange: Exchange): void {
  const { world } = play;
  const { state } = proxyOf(world, node);
  if (state === null || state.epoch !== epoch) return;
  const at = world.database.now;
  if (exchange.kind === 'ask')
    give(play, node, { kind: 'answered', ask: exchange.ask.ask, sentAt: exchange.ask.sentAt, answer: exchange.answer, at });
  else if (exchange.kind === 'beat') give(play, node, { kind: 'beaten', answer: exchange.answer, at });
  else if (exchange.kind === 'return') give(play, node, { kind: 'returned', ...exchange.answer });
  else if (exchange.kind === 'report') give(play, node, { kind: 'reported', answer: exchange.answer });
  else {
    give(play, node, { kind: 'registered', answer: exchange.answer });
    const proxy = proxyOf(world, node);
    if (exchange.answer.status === 'registered') world.proxies[node] = { ...proxy, moved: false };
  }
}

/** A message of the bag is delivered; it stays there too if it is duplicated. */
export function deliver(play: Play, index: number, keep: boolean): void {
  const { world } = play;
  const message = world.bag[index];
  if (message === undefined) return;
  if (!keep) world.bag.splice(index, 1);
  const { node, epoch } = message;
  if (message.to === 'database') hear(play, node, epoch, executed(play.parts, world, message.sender, epoch, message.effect));
  else if ('beat' in message) hear(play, node, epoch, { kind: 'beat', answer: message.beat });
  else hear(play, node, epoch, { kind: 'ask', ask: message.ask, answer: message.answer });
}

/** A process starts on what the disk has: open records are orphans, sums are final, and it registers before anything else. */
export function boot(play: Play, node: number): void {
  const { world, parts } = play;
  const proxy = proxyOf(world, node);
  const epoch = parts.nextEpoch(proxy.epoch);
  // What a kill left in the cache alone is made durable first: a final sum that a power cut could raise again would not be final.
  sync(play, node);
  const spent: { counter: string; epoch: number; spent: bigint }[] = [];
  const open: { request: string; epoch: number; holds: { counter: string; amount: bigint }[] }[] = [];
  for (const [index, call] of world.calls.entries()) {
    if (call.node !== node) continue;
    const own = call.source === proxy.name;
    if (own && (call.phase === 'settled' || call.phase === 'doubled' || call.phase === 'dead'))
      spent.push({ counter: call.counter, epoch: call.epoch, spent: call.debit });
    if (own && call.phase === 'running')
      open.push({ request: `${index}`, epoch: call.epoch, holds: [{ counter: call.counter, amount: call.hold }] });
    // Under a name that was given up: the sums of those leases are another's to say.
    if (!own && call.phase === 'running') orphaned(world, index);
  }
  const { finals, orphans } = parts.recover({ spent, open });
  for (const { request } of orphans) orphaned(world, Number(request));
  const torn = parts.tornEpochs(proxy.torn);
  const state = createLeaseState({
    node: proxy.name,
    epoch,
    incarnation: `${proxy.name}.${epoch}@${node}`,
    finals,
    torn,
    moved: parts.isMoved(proxy.moved),
    times: leaseTimes,
  });
  world.proxies[node] = { ...proxy, state, epoch };
  give(play, node, { kind: 'boot' });
}

function orphaned(world: World, index: number): void {
  const call = callOf(world, index);
  const { hold } = call;
  const settled = { ...call, phase: 'settled', debit: hold, cost: hold, openSynced: true, closeSynced: true } as const;
  world.calls[index] = { ...settled, actual: billed(call, index, hold) };
}

/** What the provider billed is the first one's to say, of a call that two have. */
function billed({ twin }: Call, index: number, amount: bigint): bigint {
  return twin !== null && twin.call < index ? 0n : amount;
}

export function take(play: Play, node: number, call: number): void {
  const { world } = play;
  world.calls[call] = { ...callOf(world, call), phase: 'waiting', node };
  const amount = callOf(world, call).hold;
  give(play, node, { kind: 'take', request: `${call}`, holds: [{ limit: limitName, group: groupName, amount }], at: world.database.now });
}

export function settleCall(play: Play, call: number, cost: bigint): void {
  const { node, counter } = callOf(play.world, call);
  give(play, node, { kind: 'settle', request: `${call}`, costs: new Map([[counter, cost]]), at: play.world.database.now });
  if (!play.world.syncsLater) sync(play, node);
}

/** Everything the process has written is durable now. */
export function sync(play: Play, node: number): void {
  const { world } = play;
  for (const [index, call] of world.calls.entries()) {
    if (call.node !== node || (call.phase !== 'running' && call.phase !== 'settled')) continue;
    world.calls[index] = { ...call, openSynced: true, closeSynced: call.phase === 'settled' };
  }
  const { state } = proxyOf(world, node);
  if (state !== null) give(play, node, { kind: 'synced', settlement: state.settlements });
}

/** The ledger posts the event of a settled call; a duplicate inserts nothing. */
export function post(play: Play, index: number): void {
  const { world, parts } = play;
  const call = callOf(world, index);
  if (parts.isDuplicate(call.posted)) return;
  if (call.twin !== null && callOf(world, call.twin.call).posted) {
    world.calls[index] = { ...call, phase: call.twin.isEqual ? 'doubled' : 'dead' };
    return;
  }
  const before = world.database.budget_counters.map((counter) => counter.committed);
  parts.lease_post(world.database, [{ counter: call.counter, node: call.source, epoch: call.epoch, debit: call.debit, cost: call.cost }]);
  if (world.database.budget_counters.some((counter, at) => counter.committed !== before[at])) world.breach = 'I2: posting moved committed';
  world.calls[index] = { ...call, posted: true };
}

/** A person discards a dead letter: its debit is settled, since its call may have been made (infra/decisions). */
export function discard(play: Play, index: number): void {
  const { world, parts } = play;
  const call = callOf(world, index);
  const { counter, source, epoch, debit } = call;
  parts.lease_post(world.database, [{ counter, node: source, epoch, debit, cost: debit }]);
  world.calls[index] = { ...call, cost: debit, posted: true };
}

export function beat(play: Play, node: number): void {
  const { state } = proxyOf(play.world, node);
  if (state !== null) give(play, node, { kind: 'beat', nonce: `${node}.${state.epoch}.${state.beats}`, at: play.world.database.now });
}

/** What a tick does now; `idle` as if nothing had been used for long. */
export function tick(play: Play, node: number, idle: boolean): void {
  const { world } = play;
  const proxy = proxyOf(world, node);
  if (proxy.state === null) return;
  if (idle) {
    const state = copyLeaseState(proxy.state);
    for (const lease of state.leases.values()) lease.usedAt = Number.NEGATIVE_INFINITY;
    world.proxies[node] = { ...proxy, state };
  }
  give(play, node, { kind: 'tick', at: world.database.now });
}

export function timeOut(play: Play, node: number): void {
  const { world } = play;
  const { state } = proxyOf(world, node);
  for (const slot of state?.slots.values() ?? []) {
    if (slot.asking !== null) give(play, node, { kind: 'answered', ask: slot.asking, sentAt: 0, answer: null, at: world.database.now });
  }
}

/** kill -9: what was written is on the disk. Calls that had not been admitted are gone with their clients. */
export function kill(play: Play, node: number): void {
  const { world } = play;
  world.proxies[node] = { ...proxyOf(world, node), state: null };
  for (const [index, call] of world.calls.entries()) {
    if (call.node === node && call.phase === 'waiting') world.calls[index] = { ...call, phase: 'new' };
  }
}

/** The machine loses its power: what was not synced is gone, and with it the trace of calls that were made. */
export function cutPower(play: Play, node: number): void {
  const { world } = play;
  kill(play, node);
  const proxy = proxyOf(world, node);
  for (const [index, call] of world.calls.entries()) {
    if (call.node !== node || (call.phase !== 'running' && call.phase !== 'settled')) continue;
    // As in `loseDisk`.
    const actual = call.phase === 'running' ? call.hold : call.debit;
    if (!call.openSynced) world.calls[index] = { ...call, phase: 'torn', actual };
    else if (call.phase === 'settled' && !call.closeSynced)
      world.calls[index] = { ...call, phase: 'running', debit: 0n, cost: 0n, actual: 0n };
  }
  world.proxies[node] = { ...proxy, torn: [...proxy.torn, proxy.epoch], moved: true };
}

export function loseDisk(play: Play, node: number): void {
  const { world } = play;
  kill(play, node);
  for (const [index, call] of world.calls.entries()) {
    if (call.node !== node) continue;
    const made = call.phase === 'running' || (call.phase === 'settled' && !call.posted);
    // An overrun that nobody had shipped cannot be reported by anybody (infra/decisions): it is left out of what is held against the limit.
    const actual = billed(call, index, call.phase === 'running' ? call.hold : call.debit);
    if (made) world.calls[index] = { ...call, phase: 'erased', actual };
  }
  world.proxies[node] = { ...proxyOf(world, node), disk: false };
}

/**
 * A machine is copied while it runs (a snapshot of it is started beside it, or after it): the copy has its name, its epoch, what it knows and what is on
 * its disk. Beats differ from the next one on.
 */
export function copy(play: Play, node: number): void {
  const { world } = play;
  const proxy = proxyOf(world, node);
  if (proxy.state === null) return;
  const made = world.proxies.length;
  // Who waits is connected to one of them.
  const state = { ...copyLeaseState(proxy.state), waiting: [] };
  for (const [index, call] of [...world.calls.entries()]) {
    if (call.node !== node || (call.phase !== 'running' && call.phase !== 'settled')) continue;
    const isEqual = call.phase === 'settled';
    const phase = call.posted ? 'doubled' : call.phase;
    const second = world.calls.push({ ...call, node: made, twin: { call: index, isEqual }, phase, posted: false, actual: 0n }) - 1;
    world.calls[index] = { ...call, twin: { call: second, isEqual } };
    const holds = state.requests.get(`${index}`);
    if (holds === undefined) continue;
    state.requests.delete(`${index}`);
    state.requests.set(`${second}`, holds);
  }
  world.proxies.push({ ...proxy, state });
}

/** One that nobody had: there are three disks at the most, of which two may begin with one name. */
function nextName({ name }: ProxyProcess, node: number): string {
  const number = Number(name.slice(1));
  return nodeName(3 + (number < 3 ? node : number));
}

/** The volume is attached to another machine while the first still runs. What that one writes from now on nobody will read. */
export function takeOver(play: Play, node: number): void {
  const { world } = play;
  const proxy = proxyOf(world, node);
  cutPower(play, node);
  world.proxies[node] = { ...proxyOf(world, node), zombie: proxy.state };
  boot(play, node);
}

/** The process without its volume is asked to admit: whatever it admits is spent, and unknown to everybody. */
export function takeAsZombie(play: Play, node: number, call: number): void {
  const { world, parts } = play;
  const proxy = proxyOf(world, node);
  if (proxy.zombie === null) return;
  const amount = callOf(world, call).hold;
  const holds = [{ limit: limitName, group: groupName, amount }];
  const [, effects] = parts.step(copyLeaseState(proxy.zombie), { kind: 'take', request: `${call}`, holds, at: world.database.now });
  const opened = effects[0];
  if (opened?.kind === 'open') {
    const counter = opened.holds[0]?.counter ?? '';
    const admitted = { node, source: proxy.name, epoch: proxy.zombie.epoch, counter, actual: amount };
    world.calls[call] = { ...callOf(world, call), ...admitted, phase: 'erased' };
    // Until its successor has registered nobody counts on its silence; what it spends then is within what is unproven.
    if (proxy.state?.phase === 'running') world.breach = 'I3: an owner that has been replaced admitted a request';
  }
  world.proxies[node] = { ...proxy, zombie: null };
}

export function pass(play: Play): void {
  play.world.database.now += passMs;
  play.parts.passed(play.world);
}

export function wait(play: Play): void {
  play.world.database.now += waitMs;
}

export function declareLost(play: Play, name: string): void {
  const { world } = play;
  play.parts.lease_declare_lost(world.database, { node: name });
  if (world.backup !== null && world.database.timeline !== 't1') world.forgotten = true;
}

export function changeLimit(play: Play, amount: bigint): void {
  const { world } = play;
  play.parts.changeAmount(world.database, limitName, amount);
  if (amount > world.ceiling) world.ceiling = amount;
}

export function reset(play: Play): void {
  resetLimit(play.world.database, limitName);
}

export function backUp(play: Play): void {
  const { world } = play;
  world.backup = copyDatabase(world.database);
  world.backupPosted = world.calls.map((call) => call.posted);
}

/** The ledger is in the backup too, its offset with it: what it had not seen then will be posted again. */
export function restore(play: Play): void {
  const { world } = play;
  if (world.backup === null) return;
  restoreBackup(world.database, world.backup, 't2');
  for (const [index, call] of world.calls.entries()) {
    if (!call.posted || world.backupPosted[index] === true) continue;
    // The log has the event, whatever became of the disk it came from.
    world.calls[index] = { ...call, phase: 'settled', posted: false };
  }
}

export function stop(play: Play, node: number): void {
  give(play, node, { kind: 'stop', at: play.world.database.now });
}

/** Two proxies that serve, a limit, and calls nobody has made yet. */
export function newWorld(parts: Parts, options: Pick<Scope, 'limit' | 'holds' | 'faults' | 'astray' | 'over'>): World {
  const database = emptyDatabase({ keepLog: false, now: passMs });
  createLimit(database, limitName, options.limit);
  const fresh = (node: number): ProxyProcess => {
    return { name: nodeName(node), state: null, epoch: 0, disk: true, torn: [], moved: false, zombie: null };
  };
  const world: World = {
    database,
    proxies: [fresh(0), fresh(1)],
    calls: options.holds.map((hold): Call => ({ ...noCall, hold })),
    bag: [],
    faults: options.faults,
    backup: null,
    backupPosted: [],
    ceiling: options.limit,
    forgotten: false,
    astray: options.astray,
    over: options.over,
    syncsLater: options.faults.powerCuts + options.faults.takeovers > 0,
    breach: null,
  };
  const play = playOf(copyWorld(world), parts);
  for (const node of [0, 1]) boot(play, node);
  for (const node of [0, 1, 0]) beat(play, node);
  return play.world;
}

export const noCall: Call = {
  hold: 0n,
  phase: 'new',
  node: -1,
  source: '',
  twin: null,
  epoch: 0,
  counter: '',
  debit: 0n,
  cost: 0n,
  actual: 0n,
  openSynced: false,
  closeSynced: false,
  posted: false,
};
