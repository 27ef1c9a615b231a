import type { AskAnswer, BeatAnswer, LeaseEffect } from '../../../services/proxy/admission/leases/lease-effects.ts';
import type { LeaseState } from '../../../services/proxy/admission/leases/lease-state.ts';
import { copyDatabase, type LeaseDatabase } from '../mirror/tables.ts';

export const limitName = 'l';
export const groupName = 'g';

/** A call at the provider, and what the spool and the ledger have of it. What the provider really billed is in `actual`. */
export interface Call {
  readonly hold: bigint;
  /**
   * `torn`: it was made, and a power cut took its record. `erased`: it was made, and its disk is gone. Of a call that a copy of its process has too,
   * `doubled`: the other's event is posted, which this one's is equal to; `dead`: this one's has other bytes, and is a dead letter.
   */
  readonly phase: 'new' | 'waiting' | 'running' | 'settled' | 'torn' | 'erased' | 'doubled' | 'dead';
  /** Whose disk its record is on. */
  readonly node: number;
  /** The name it was admitted under, which its event carries. */
  readonly source: string;
  /** The same call as the other of two processes that were one has it, and whether they settled it before they were two. */
  readonly twin: { readonly call: number; readonly isEqual: boolean } | null;
  readonly epoch: number;
  readonly counter: string;
  readonly debit: bigint;
  readonly cost: bigint;
  readonly actual: bigint;
  readonly openSynced: boolean;
  readonly closeSynced: boolean;
  readonly posted: boolean;
}

/** A process and its disk. `state` null: dead. */
export interface ProxyProcess {
  /** Of the node; that of a process that was copied is also its copy's, until one of them gives it up. */
  readonly name: string;
  readonly state: LeaseState | null;
  /** The last epoch that was claimed on the disk. */
  readonly epoch: number;
  readonly disk: boolean;
  readonly torn: readonly number[];
  /** Since the last register the machine was another, or booted again. */
  readonly moved: boolean;
  /** The process on the machine the volume was taken from, while it still runs. */
  readonly zombie: LeaseState | null;
}

type Ask = Extract<LeaseEffect, { kind: 'ask' }>;

/** What a process calls itself to the database. */
export interface Sender {
  readonly name: string;
  readonly incarnation: string;
}

/** On the way to the database, or back. */
export type Message =
  | { readonly to: 'database'; readonly node: number; readonly epoch: number; readonly sender: Sender; readonly effect: LeaseEffect }
  | { readonly to: 'node'; readonly node: number; readonly epoch: number; readonly ask: Ask; readonly answer: AskAnswer }
  | { readonly to: 'node'; readonly node: number; readonly epoch: number; readonly beat: BeatAnswer };

/** What may still go wrong. */
export interface Faults {
  readonly loose: number;
  readonly duplicates: number;
  readonly kills: number;
  readonly powerCuts: number;
  readonly diskLosses: number;
  readonly passes: number;
  /** Steps of half a fence. */
  readonly waits: number;
  readonly declared: number;
  readonly lowered: number;
  readonly resets: number;
  readonly backups: number;
  readonly restores: number;
  readonly stops: number;
  readonly takeovers: number;
  readonly reposts: number;
  /** A machine is copied while it runs, memory and disk, and both go on. */
  readonly copies: number;
}

export interface World {
  readonly database: LeaseDatabase;
  readonly proxies: ProxyProcess[];
  readonly calls: Call[];
  readonly bag: Message[];
  faults: Faults;
  backup: LeaseDatabase | null;
  /** Calls that were posted when the backup was made: the ledger is in it, and replays the rest. */
  backupPosted: readonly boolean[];
  /** The greatest amount the limit ever had. */
  ceiling: bigint;
  /** A restore forgot what a node that never came back was granted: not recoverable (leases.md §9). */
  forgotten: boolean;
  /** Which messages may go astray. */
  readonly astray: readonly LeaseEffect['kind'][];
  /** What a call may cost above its hold. */
  readonly over: readonly bigint[];
  /** Records are synced at a moment of their own: only where that can make a difference. */
  readonly syncsLater: boolean;
  /** Said by an action, when a step itself is wrong. */
  breach: string | null;
}

export const noFaults: Faults = {
  loose: 0,
  duplicates: 0,
  kills: 0,
  powerCuts: 0,
  diskLosses: 0,
  passes: 0,
  waits: 0,
  declared: 0,
  lowered: 0,
  resets: 0,
  backups: 0,
  restores: 0,
  stops: 0,
  takeovers: 0,
  reposts: 0,
  copies: 0,
};

export function copyWorld(world: World): World {
  return {
    ...world,
    database: copyDatabase(world.database),
    proxies: world.proxies.slice(),
    calls: world.calls.slice(),
    bag: world.bag.slice(),
  };
}

export function nodeName(node: number): string {
  return `n${node}`;
}
