import type { LeaseState } from '../../../services/proxy/admission/leases/lease-state.ts';
import { openOf } from '../../../services/proxy/admission/leases/lease-state.ts';
import type { LeaseDatabase } from '../mirror/tables.ts';
import { waitMs } from './play.ts';
import type { Call, Message, ProxyProcess, World } from './world.ts';

/**
 * A number that two worlds share if nothing that can still happen tells them apart: node names, names of calls, beats and asks are told by their
 * relations, times by what they are compared with. 53 bits: with a million states two collide with a chance of one in ten thousand.
 */
export function identityOf(world: World): number {
  const one = encodeWorld(world, [0, 1, 2]);
  const other = encodeWorld(world, [1, 0, 2]);
  if (one < other) return hash(one);
  return hash(other);
}

function hash(text: string): number {
  let high = 0x811c9dc5;
  let low = 0x01000193;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x85ebca6b) + 0x9e37;
    low ^= low >>> 13;
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}

function encodeWorld(world: World, order: readonly number[]): string {
  const place = (node: number): number => order.indexOf(node);
  const named = (node: string): number => {
    const number = Number(node.slice(1));
    return number - (number % 3) + place(number % 3);
  };
  const proxies = order.map((node) => encodeProxy(world, world.proxies[node], named));
  const calls = world.calls.map((call) => encodeCall(world, call, place, named)).sort();
  const bag = world.bag.map((message) => encodeMessage(world, message, place, named)).sort();
  const backup = world.backup === null ? '' : `${encodeDatabase(world.backup, world, named)}${world.backupPosted}`;
  const faults = Object.values(world.faults).join();
  return `${encodeDatabase(world.database, world, named)}#${proxies.join('#')}#${calls.join()}#${bag.join()}#${backup}#${faults}${world.forgotten ? 'f' : ''}`;
}

function encodeDatabase(database: LeaseDatabase, world: World, named: (node: string) => number): string {
  const { generation, now, times } = database;
  let text = `${generation.generation}${generation.timeline}${generation.reconciling ? 'r' : ''}${database.timeline}`;
  const parts: string[] = [];
  for (const row of database.lease_nodes) {
    // Where two may share a name, each of them tells (`encodeBeats`).
    const state = world.proxies.length > 2 ? null : (world.proxies.find(({ name }) => name === row.node)?.state ?? null);
    // Of a node that is dead or another epoch its beats no longer matter; of a backup only whether it is behind.
    const ahead = state === null || state.epoch !== row.epoch ? 0 : Math.max(-1, row.beat - state.beats);
    const silence = now - row.seen_at > times.node_ttl_ms ? 's' : `${Math.floor((now - row.seen_at) / waitMs)}`;
    parts.push(`n${named(row.node)}.${row.epoch}.${ahead}${row.nonce === null ? 'z' : ''}${silence}${row.lost_at === null ? '' : 'l'}`);
  }
  for (const row of database.budget_limits) parts.push(`m${row.amount}.${row.version}.${row.segment}`);
  for (const row of database.budget_counters) {
    const wanted = row.wanted_at !== null && now - row.wanted_at < times.scarce_ms;
    parts.push(`c${row.window_key}.${row.committed}.${row.cap}${wanted ? 'w' : ''}${row.sealed_at === null ? '' : 's'}`);
  }
  for (const row of database.leases) {
    parts.push(
      `l${row.counter}${named(row.node)}.${row.epoch}.${row.granted}.${row.returned}.${row.unproven}${row.closed_at === null ? '' : 'c'}`,
    );
  }
  for (const row of database.lease_postings) parts.push(`p${row.counter}${named(row.node)}.${row.epoch}.${row.posted}`);
  for (const row of database.counter_totals) parts.push(`t${row.counter}${row.settled}.${row.excess}`);
  for (const row of database.lease_reports) {
    const leases = row.leases.map((lease) => `${lease.counter}${lease.epoch}.${lease.granted}.${lease.returned}.${lease.final}`);
    parts.push(`r${named(row.node)}${leases}${row.torn}`);
  }
  parts.sort();
  text += parts.join();
  return text;
}

/** As far as anything can tell: times are compared after whole waits only. */
function stepsUntil(moment: number, now: number): number {
  return Math.min(4, Math.max(0, Math.ceil((moment - now) / waitMs)));
}

function encodeState(state: LeaseState | null, now: number): string {
  if (state === null) return '-';
  let text = `${state.phase}${state.epoch}.${state.generation}.${state.live}${stepsUntil(state.fenceAt, now)}${state.beating === null ? '' : `b${stepsUntil(now, state.beating.sentAt)}`}`;
  text += `${state.reported >= state.generation ? '' : 'r'}${state.waiting.map((waiter) => waiter.holds[0]?.amount)}`;
  if (state.moved) text += 'm';
  for (const slot of state.slots.values()) {
    text += `/${slot.lease?.counter ?? ''}${slot.asking === null ? '' : '?'}`;
  }
  for (const lease of state.leases.values()) {
    const flags = `${lease.gone ? 'g' : ''}${lease.scarceUntil > now ? `s${lease.yields}` : ''}`;
    text += `+${lease.counter}.${lease.granted}.${lease.returned}.${lease.spent}.${openOf(lease)}.${lease.free}.${lease.acknowledged}.${lease.version}${flags}`;
  }
  for (const { goesBack } of state.unsynced) text += goesBack ? '<' : '';
  return text;
}

function encodeProxy(world: World, proxy: ProxyProcess | undefined, named: (node: string) => number): string {
  if (proxy === undefined) return '';
  const { now } = world.database;
  const flags = `${proxy.disk ? '' : 'd'}${proxy.moved ? 'm' : ''}${proxy.torn}`;
  const copied = world.proxies.length > 2 ? `${named(proxy.name)}${encodeBeats(world, proxy)}` : '';
  return `${copied}${encodeState(proxy.state, now)}|${proxy.epoch}${flags}|${encodeState(proxy.zombie, now)}`;
}

/** How far its beats are from those that its name has had: two may share one. */
function encodeBeats({ database }: World, { name, state }: ProxyProcess): string {
  const row = database.lease_nodes.find((each) => each.node === name);
  if (state === null || row === undefined) return '';
  const isOwn = row.epoch === state.epoch && row.incarnation === state.incarnation;
  const isSent = row.nonce !== null && row.nonce === state.beating?.nonce;
  return `${isOwn ? Math.sign(row.beat - state.beats) : row.epoch - state.epoch}${isSent ? 'i' : ''}`;
}

function encodeCall(world: World, call: Call, place: (node: number) => number, named: (node: string) => number): string {
  const twin = call.twin === null ? undefined : world.calls[call.twin.call];
  const copied = world.proxies.length > 2 && call.source !== '' ? `${named(call.source)}=` : '';
  return `${encodeOneCall(call, place)}${copied}${twin === undefined ? '' : `${call.twin?.isEqual}${encodeOneCall(twin, place)}`}`;
}

function encodeOneCall(call: Call, place: (node: number) => number): string {
  if (call.phase === 'new') return `${call.hold}`;
  const flags = `${call.openSynced ? 'o' : ''}${call.closeSynced ? 'c' : ''}${call.posted ? 'p' : ''}`;
  return `${call.hold}${call.phase}${place(call.node)}.${call.epoch}${call.counter}.${call.debit}.${call.cost}.${call.actual}${flags}`;
}

/** Numbers of asks and beats only matter by whether they are the ones that are waited for; of a beat also by how far the database is past it. */
function encodeMessage(world: World, message: Message, place: (node: number) => number, named: (node: string) => number): string {
  const state = world.proxies[message.node]?.state ?? null;
  const current = state !== null && state.epoch === message.epoch;
  const start = `${place(message.node)}.${message.epoch}`;
  const asking = (ask: number): string => ([...(state?.slots.values() ?? [])].some((slot) => slot.asking === ask) ? 'i' : 'x');
  if (message.to === 'database') {
    const { effect, sender } = message;
    const from = world.proxies.length > 2 ? `${named(sender.name)}@${sender.incarnation.endsWith('@2')}` : '';
    if (effect.kind === 'ask') return `>${from}${start}${current ? asking(effect.ask) : ''}${plain(effect)}`;
    if (effect.kind !== 'beat') return `>${from}${start}${plain(effect)}`;
    const row = world.database.lease_nodes[message.node];
    return `>${from}${start}b${Math.max(-2, Math.min(2, (row?.beat ?? 0) - effect.beat))}${effect.generation}${plain(effect.returned)}`;
  }
  if (!current) return '';
  if (!('beat' in message)) return `<${start}a${asking(message.ask.ask)}${plain(message.answer)}`;
  const { beat } = message;
  const awaited = state.beating?.nonce === beat.nonce;
  return awaited
    ? `<${start}b${state.beats - beat.beat}${plain(beat.leases)}${beat.generation}${beat.reconciling}${beat.status}${beat.live}`
    : '';
}

function plain(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (key === 'sentAt' || key === 'ask') return undefined;
    return typeof part === 'bigint' ? `${part}` : part;
  });
}
