import type { AuditEventReads } from './ports/audit-event-reads.ts';
import type { BudgetSimulationReads } from './ports/budget-simulation.ts';
import type { BudgetStateReads } from './ports/budget-state-reads.ts';
import type { Changes } from './ports/changes.ts';
import type { DeadLetterReads } from './ports/dead-letter-reads.ts';
import type { JournalReads } from './ports/journal-reads.ts';
import type { LeaseReads } from './ports/lease-reads.ts';
import type { LiveStreams } from './ports/live-streams.ts';
import type { RegistryReads } from './ports/registry-reads.ts';
import type { RouteDryRun } from './ports/route-dry-run.ts';
import type { UsageReads } from './ports/usage-reads.ts';

/** The admin key that asks. Ids are uuids. */
export interface Viewer {
  readonly apiKeyId: string;
  readonly organizationId: string;
  readonly name: string;
  readonly permissions: readonly string[];
  /** When the key that asks ends; null = never. */
  readonly expiresAt: Date | null;
  /** From where it may be used; null = from everywhere. */
  readonly allowedCidrs: readonly string[] | null;
}

/** What an operation has cost so far, by the principal's bucket (reference/graphql.md section 4). */
export interface RateLimitStatus {
  readonly limit: number;
  readonly remaining: number;
  readonly restorePerSecond: number;
  /** When the bucket is full again if nothing else is asked. */
  readonly resetAt: Date;
  /** What the operation that asks was charged. */
  readonly cost: number;
  readonly nodeCount: number;
}

/** About this server, the same for everybody. */
export interface ServerInfo {
  readonly version: string;
  /** SHA-256 of the printed schema: a client can tell whether it was generated from this one. */
  readonly schemaHash: string;
  readonly startedAt: Date;
}

/**
 * Everything a resolver can reach: ports, which services/api implements for one operation of one viewer. Each already knows
 * the viewer's organization, so that no resolver can forget it.
 */
export interface GraphqlContext {
  readonly viewer: Viewer;
  readonly now: () => Date;
  readonly registry: RegistryReads;
  readonly budgetStates: BudgetStateReads;
  readonly budgetSimulation: BudgetSimulationReads;
  readonly leases: LeaseReads;
  readonly journal: JournalReads;
  readonly audit: AuditEventReads;
  readonly deadLetters: DeadLetterReads;
  readonly usage: UsageReads;
  readonly routeDryRun: RouteDryRun;
  readonly changes: Changes;
  readonly live: LiveStreams;
  readonly rateLimit: () => RateLimitStatus;
  readonly server: ServerInfo;
}
