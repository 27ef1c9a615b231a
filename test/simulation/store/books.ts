import type { RequestSubjectInsert } from '../../../services/journal/append-entries.ts';
import type { LedgerEntryInsert } from '../../../services/journal/entry-columns.ts';
import type { RollupGrain, RollupRow } from '../../../services/ledger/rollups.ts';
import type { DeadLetterInsert } from '../../../services/ledger/store/ledger-store.ts';
import type { LeaseDatabase } from '../../leases/mirror/tables.ts';
import { emptyDatabase } from '../../leases/mirror/tables.ts';

export interface KeptOffset {
  readonly owner: string;
  readonly epoch: bigint;
  readonly nextOffset: bigint;
}

export interface KeptEntry {
  readonly entry: LedgerEntryInsert;
  readonly recordedAt: Date;
}

export interface KeptAudit {
  readonly id: string;
  readonly organizationId: string;
  readonly occurredAt: Date;
  readonly action: string;
  readonly targets: unknown;
}

/** A committed item of the journal that has no position yet, with what decides when its turn comes. */
export interface WaitingItem {
  readonly kind: 'entry' | 'audit';
  readonly id: string;
  readonly organizationId: string;
  readonly occurredAt: Date;
  readonly partition: number;
  readonly offset: bigint;
}

export interface PlacedItem {
  readonly kind: 'entry' | 'audit';
  readonly id: string;
  readonly organizationId: string;
  readonly occurredAt: Date;
  readonly position: bigint;
  readonly sequencedAt: Date;
}

/** Everything that is committed; the tables of migrations 0002 and 0003 as far as the ledger's ports reach. */
export interface Books {
  /** Partitions by topic. */
  readonly topics: Map<string, number>;
  /** By {@link offsetKey}. */
  readonly offsets: Map<string, KeptOffset>;
  /** By {@link entryKey}. */
  readonly entries: Map<string, KeptEntry>;
  /** By request. */
  readonly subjects: Map<string, RequestSubjectInsert>;
  /** By the row's own key. */
  readonly rollups: Readonly<Record<RollupGrain, Map<string, RollupRow>>>;
  /** By topic, partition and offset. */
  readonly deadLetters: Map<string, DeadLetterInsert>;
  readonly audits: Map<string, KeptAudit>;
  /** By {@link itemKey}. */
  readonly waiting: Map<string, WaitingItem>;
  /** By {@link itemKey}. */
  readonly placed: Map<string, PlacedItem>;
  /** Positions by organization: the index is the position. */
  readonly journals: Map<string, PlacedItem[]>;
  readonly priceSheets: Map<string, unknown>;
  readonly activatedTags: Map<string, string[]>;
  /** Leases, as the mirror of migration 0013 has them. */
  readonly leases: LeaseDatabase;
  /** Names of the mirror's counters, by the uuid that events have. */
  readonly counterNames: Map<string, string>;
  /** Months, by their first millisecond, that entries can be put into. */
  readonly months: Set<number>;
}

export function createBooks(): Books {
  return {
    topics: new Map(),
    offsets: new Map(),
    entries: new Map(),
    subjects: new Map(),
    rollups: { minute: new Map(), hour: new Map(), day: new Map() },
    deadLetters: new Map(),
    audits: new Map(),
    waiting: new Map(),
    placed: new Map(),
    journals: new Map(),
    priceSheets: new Map(),
    activatedTags: new Map(),
    leases: emptyDatabase({ keepLog: false }),
    counterNames: new Map(),
    months: new Set(),
  };
}

export function offsetKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

export function entryKey(key: { readonly entry_id: string; readonly occurred_at: Date }): string {
  return `${key.entry_id}@${key.occurred_at.getTime()}`;
}

export function itemKey(item: { readonly kind: 'entry' | 'audit'; readonly id: string }): string {
  return `${item.id}/${item.kind}`;
}

/** First millisecond of the month an instant lies in. */
export function monthOf(timeMs: number): number {
  const time = new Date(timeMs);
  return Date.UTC(time.getUTCFullYear(), time.getUTCMonth());
}
