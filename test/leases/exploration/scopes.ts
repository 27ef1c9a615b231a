import type { LeaseEffect } from '../../../services/proxy/admission/leases/lease-effects.ts';
import { type Faults, noFaults } from './world.ts';

/** What may happen within one exploration. Few faults of few kinds each: together they are all of leases.md §11. */
export interface Scope {
  readonly name: string;
  readonly limit: bigint;
  readonly holds: readonly bigint[];
  readonly faults: Faults;
  readonly astray: readonly LeaseEffect['kind'][];
  /** What a call may cost above its hold. */
  readonly over: readonly bigint[];
  readonly mostStates: number;
}

/** The usual two calls of half the limit, with these faults. */
export function scopeOf(faults: Partial<Faults>, more: Partial<Scope> = {}): Scope {
  return scope('', faults, more);
}

function scope(name: string, faults: Partial<Faults>, more: Partial<Scope> = {}): Scope {
  const usual = { limit: 4n, holds: [2n, 2n], astray: ['ask', 'return', 'register'] as const, over: [-1n, 1n], mostStates: 100_000 };
  return { name, ...usual, ...more, faults: { ...noFaults, ...faults } };
}

export const scopes: readonly Scope[] = [
  scope('no faults', {}, { holds: [2n, 2n, 2n], over: [-1n, 0n, 1n] }),
  scope('two messages late, lost or repeated', { loose: 2, duplicates: 1 }, { holds: [2n], over: [-1n] }),
  scope('a message late, lost or repeated', { loose: 1, duplicates: 1 }),
  scope('beats late, lost and repeated', { loose: 2, duplicates: 1 }, { holds: [2n], astray: ['beat'] }),
  scope('the fence, in halves, and beats astray', { waits: 3, loose: 1, duplicates: 1 }, { holds: [1n], astray: ['beat'], over: [0n] }),
  scope('a kill, and a message', { loose: 1, kills: 1 }, { over: [-1n] }),
  scope('two kills, and an entry twice', { kills: 2, reposts: 1 }),
  scope('a power cut', { powerCuts: 1, passes: 1 }),
  scope('a takeover', { takeovers: 1, passes: 1 }, { holds: [1n, 1n], over: [-1n] }),
  scope('a machine is copied while it runs', { copies: 1 }, { holds: [2n], over: [-1n] }),
  scope('a copy, and a kill', { copies: 1, kills: 1 }, { holds: [2n], over: [0n] }),
  scope('a copy goes on, and the original is lost', { copies: 1, diskLosses: 1 }, { holds: [4n], over: [0n] }),
  scope('a disk is lost', { diskLosses: 1, declared: 1 }),
  scope('a disk is lost, and a message', { diskLosses: 1, declared: 1, loose: 1 }, { holds: [2n], over: [-1n] }),
  scope('silent, called lost, and back again', { declared: 1, passes: 1, loose: 1 }, { holds: [2n] }),
  scope('a lowered limit', { lowered: 1, loose: 1 }, { over: [1n] }),
  scope('a reset', { resets: 1, loose: 1 }, { holds: [2n], over: [-1n] }),
  scope('a graceful stop', { stops: 1, loose: 1 }, { holds: [2n] }),
  scope('backup and restore', { backups: 1, restores: 1 }, { over: [-1n] }),
  scope('backup, a kill, restore', { backups: 1, restores: 1, kills: 1 }, { holds: [2n], over: [-1n] }),
  scope('backup, an ask astray, restore', { backups: 1, restores: 1, loose: 1 }, { holds: [2n], astray: ['ask'], over: [-1n] }),
];
