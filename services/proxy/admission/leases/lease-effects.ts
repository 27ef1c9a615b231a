import type { HoldWanted, LeaseFinal } from './lease-state.ts';

/** What the answers of `lease_ask`, `lease_beat`, `lease_return` and `lease_register` carry, as the database adapter parsed them. */
export interface AskAnswerItem {
  readonly limit: string;
  readonly group: string;
  readonly counter: string | null;
  readonly outcome: 'granted' | 'held' | 'short' | 'withheld' | 'gone';
  readonly granted: bigint;
  readonly version: number;
  /** amount - settled. */
  readonly unsettled: bigint;
  /** What of it is held by the lost and the silent. */
  readonly stuck: bigint;
  readonly endsInMs: number | null;
  readonly opensInMs: number;
}

export interface AskAnswer {
  readonly status: 'answered' | 'fenced' | 'reconciling';
  readonly generation: number;
  readonly items: readonly AskAnswerItem[];
}

export interface BeatAnswer {
  readonly status: 'taken' | 'copied' | 'forgotten';
  readonly nonce: string;
  readonly beat: number;
  readonly generation: number;
  readonly reconciling: boolean;
  readonly live: number;
  readonly leases: readonly {
    readonly limit: string;
    readonly group: string;
    readonly counter: string;
    readonly granted: bigint;
    readonly gone: boolean;
    readonly wanted: boolean;
    readonly version: number;
  }[];
}

export interface AskItem extends Omit<HoldWanted, 'amount'> {
  readonly counter: string | null;
  readonly next: boolean;
  readonly known: bigint;
  readonly need: bigint;
  readonly want: bigint;
}

export interface ReturnedItem {
  readonly counter: string;
  readonly returned: bigint;
}

export type RefusalCode = 'insufficient_quota' | 'budget_in_flight' | 'accounting_unavailable';

/** What a settlement says of one hold: into the event, and into the spool's sums. */
export interface SettledHold {
  readonly counter: string;
  readonly hold: bigint;
  readonly debit: bigint;
  readonly cost: bigint;
}

/**
 * What is to be done, in this order, at the rim. `open`, `raise` and `close` are spool records and must be written before anything else happens;
 * `open` admits its request. The numbers of asks and settlements come back with `answered` and `synced`.
 */
export type LeaseEffect =
  | {
      readonly kind: 'open' | 'raise';
      readonly request: string;
      readonly holds: readonly { readonly counter: string; readonly amount: bigint }[];
    }
  | { readonly kind: 'close'; readonly request: string; readonly settlement: number; readonly holds: readonly SettledHold[] }
  | {
      readonly kind: 'refuse';
      readonly request: string;
      readonly code: RefusalCode;
      readonly retryAfterSeconds: number;
      readonly limit: string | null;
    }
  | {
      readonly kind: 'ask';
      readonly ask: number;
      readonly epoch: number;
      readonly generation: number;
      readonly live: number;
      readonly all: boolean;
      readonly sentAt: number;
      readonly items: readonly AskItem[];
    }
  | { readonly kind: 'return'; readonly epoch: number; readonly items: readonly ReturnedItem[] }
  | {
      readonly kind: 'beat';
      readonly epoch: number;
      readonly generation: number;
      readonly beat: number;
      readonly nonce: string;
      readonly returned: readonly ReturnedItem[];
    }
  | {
      readonly kind: 'register';
      readonly moved: boolean;
      readonly epoch: number;
      readonly finals: readonly LeaseFinal[];
      readonly torn: readonly number[];
      readonly afterMs: number;
    }
  | {
      readonly kind: 'report';
      readonly epoch: number;
      readonly generation: number;
      readonly beat: number;
      readonly leases: readonly {
        readonly counter: string;
        readonly epoch: number;
        readonly granted: bigint;
        readonly returned: bigint;
        readonly final: bigint | null;
      }[];
      readonly torn: readonly number[];
    }
  | { readonly kind: 'exit'; readonly cause: 'superseded' | 'copied' };
