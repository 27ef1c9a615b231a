import type { LeaseLogTable } from '../../tables/lease-log.table.ts';
import type { LeaseStateView } from '../../tables/lease-state.view.ts';
import type { BudgetUnit, BudgetWindow } from '../../values/budget.ts';
import type { RateLimitUnit } from '../../values/rate-limit.ts';
import type { Page, PageRequest } from '../page.ts';

/** A proxy as leasing knows it. */
export interface ProxyRow {
  /** uuid */
  readonly id: string;
  /** Of its latest boot; null with `seenAt`. */
  readonly epoch: bigint | null;
  /** Null: known by what it booked alone, since the database was restored from before it. */
  readonly seenAt: Date | null;
  readonly lostAt: Date | null;
  readonly isSilent: boolean;
}

/** What a proxy was given of a counter. Amounts are in the unit of its limit. */
export interface LeaseRow {
  readonly counterId: string;
  readonly unit: BudgetUnit;
  readonly proxy: ProxyRow;
  readonly epoch: bigint;
  readonly granted: bigint;
  readonly returned: bigint;
  readonly posted: bigint;
  readonly left: bigint;
  readonly lost: bigint;
  readonly uncovered: bigint;
  readonly state: LeaseStateView['state']['__select__'];
  readonly cause: string | null;
  readonly grantedAt: Date | null;
  readonly closedAt: Date | null;
}

/** One change of what is committed of a counter. Amounts are in the unit of its limit. */
export interface MovementRow {
  readonly counterId: string;
  readonly unit: BudgetUnit;
  readonly version: bigint;
  readonly kind: LeaseLogTable['kind']['__select__'];
  readonly proxy: ProxyRow | null;
  readonly epoch: bigint | null;
  readonly amount: bigint;
  readonly committed: bigint;
  readonly cap: bigint;
  readonly cause: string | null;
  readonly recordedAt: Date;
}

/** What a proxy holds of a counter for requests in flight, as it told last. Amounts are in the unit of its limit. */
export interface OpenHoldsRow {
  readonly counterId: string;
  readonly unit: BudgetUnit;
  readonly proxy: ProxyRow;
  readonly toldAt: Date;
  /** When it was last heard of, where that is ten of its beats ago. */
  readonly silentSince: Date | null;
  readonly holds: number;
  readonly amount: bigint;
  /** Of the 100 oldest requests of the proxy, those that hold this counter; requests are uuids. */
  readonly oldest: readonly { readonly requestId: string; readonly amount: bigint }[];
}

/** What a limit counts, and whose it is: one of the two ids is null. */
export interface LimitRow {
  /** uuid */
  readonly budgetId: string | null;
  /** uuid */
  readonly rateLimitId: string | null;
  readonly unit: RateLimitUnit;
  /** Null: it is of what runs at once. */
  readonly window: BudgetWindow | null;
}

/** What a proxy holds of a counter for one request in flight, as it told last. The request is a uuid; the amount is in the unit of the limit. */
export type OldestHoldRow = Omit<OpenHoldsRow, 'holds' | 'oldest'> & { readonly requestId: string };

/** Reads of the leases of one organization's budgets, a page for each counter, and of the proxies that hold them. */
export interface LeaseReads {
  /** By proxy and epoch; without those of which nothing is left, unless asked for. */
  readonly leases: (counterIds: readonly string[], page: PageRequest, includeDone: boolean) => Promise<readonly Page<LeaseRow>[]>;
  /** Newest first. */
  readonly movements: (counterIds: readonly string[], page: PageRequest) => Promise<readonly Page<MovementRow>[]>;
  /** For each counter, by proxy. */
  readonly openHolds: (counterIds: readonly string[]) => Promise<readonly (readonly OpenHoldsRow[])[]>;
  /** Of all budgets, the oldest request first. */
  readonly oldestOpenHolds: (most: number) => Promise<readonly OldestHoldRow[]>;
  /** By counter, of those that there are. */
  readonly limitsOfCounters: (counterIds: readonly string[]) => Promise<ReadonlyMap<string, LimitRow>>;
  /** Of those that there are, sealed ones too. */
  readonly limitsById: (limitIds: readonly string[]) => Promise<ReadonlyMap<string, LimitRow>>;
  readonly proxyById: (id: string) => Promise<ProxyRow | null>;
  /** Every proxy of the installation: only for who may administer it. */
  readonly proxies: (page: PageRequest) => Promise<Page<ProxyRow>>;
}
