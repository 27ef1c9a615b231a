import { createHmac } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { GraphqlContext, RateLimitStatus, ServerInfo, Viewer } from '../../schema/graphql/context.ts';
import type { Database } from '../../schema/tables/database.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import { systemTimers } from '../eventlog/timers.ts';
import type { AuditOrigin } from '../journal/append-audit.ts';
import { END_USER_ALIAS, endUserAlias } from '../registry/catalog/match-budgets.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Secrets } from '../runtime/secrets.ts';
import { createChanges } from './changes/changes.ts';
import { createRunChange } from './changes/run-change.ts';
import { createAlertStream } from './live/alert-stream.ts';
import { createChangeStream } from './live/change-stream.ts';
import type { Drain } from './live/drain.ts';
import type { JournalHub } from './live/journal-hub.ts';
import { createPostgresJournalPages } from './live/postgres-journal-feed.ts';
import { createRequestTail } from './live/request-tail.ts';
import { createSharedReports } from './live/shared-reports.ts';
import type { StreamCursors } from './live/stream-cursor.ts';
import { createUsageTicks } from './live/usage-ticks.ts';
import type { PrincipalWatch } from './principals.ts';
import { createAuditEventReads } from './reads/audit-event-reads.ts';
import { createBudgetSimulationReads } from './reads/budget-simulation.ts';
import { createBudgetStateReads } from './reads/budget-state-reads.ts';
import { createDeadLetterReads } from './reads/dead-letter-reads.ts';
import { createJournalReads } from './reads/journal-reads.ts';
import { createLeaseReads } from './reads/lease-reads.ts';
import { createRegistryReads } from './reads/registry-reads.ts';
import { createRouteDryRun } from './reads/route-dry-run.ts';
import { createTenantRead } from './reads/tenant-read.ts';
import { createUsageReads } from './reads/usage-reads.ts';
import { verifyCredential } from './upstream/verify-credential.ts';

/** Who carries out an operation, and from where. */
export interface OperationCaller {
  readonly viewer: Viewer;
  /** Follows the viewer's key for as long as a stream of theirs is open. */
  readonly watch: () => PrincipalWatch;
  readonly origin: AuditOrigin;
}

export type ContextOf = (caller: OperationCaller, signal: AbortSignal, rateLimit: () => RateLimitStatus) => GraphqlContext;

/**
 * Implements the schema's ports for one operation of one viewer. Reads go through the role that row-level security binds,
 * changes through the writer's, and each port knows the viewer's organization.
 */
export function createContextOf(options: {
  readonly reader: Kysely<Database>;
  readonly writer: Kysely<Database>;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
  readonly hub: JournalHub;
  readonly cursors: StreamCursors;
  readonly drain: Drain;
  readonly server: ServerInfo;
}): ContextOf {
  const { reader, writer, secrets, clock, random, hub, cursors, drain, server } = options;
  const reports = createSharedReports();
  const aliasKey = secrets.deriveKey(END_USER_ALIAS);
  const hashOf = (text: string): string => createHmac('sha256', aliasKey).update(text).digest('base64url');
  return ({ viewer, watch, origin }, signal, rateLimit) => {
    const { organizationId } = viewer;
    const read = createTenantRead(reader, organizationId, signal);
    const usage = createUsageReads(read, organizationId);
    const run = createRunChange({
      db: writer,
      viewer,
      origin,
      clock,
      random,
      signal,
      cursorAfter: async (trx) => {
        const head = await trx
          .selectFrom('journal_heads')
          .select('next_position')
          .where('organization_id', '=', organizationId)
          .executeTakeFirst();
        return cursors.encode({ organizationId, epoch: hub.epoch(), position: (head?.next_position ?? 0n) - 1n, identity: '' });
      },
    });
    const pages = createPostgresJournalPages(read, organizationId);
    const streams = { hub, cursors, pages, organizationId, watch, drain, clock, timers: systemTimers, random };
    return {
      viewer,
      now: () => new Date(clock.now()),
      registry: createRegistryReads(read, viewer, writer),
      budgetStates: createBudgetStateReads(read, organizationId, (endUser) =>
        endUserAlias(hashOf, idFromUuid('organization', organizationId), endUser),
      ),
      budgetSimulation: createBudgetSimulationReads(read, organizationId, clock),
      leases: createLeaseReads(read, organizationId),
      journal: createJournalReads(read, organizationId),
      audit: createAuditEventReads(read, organizationId),
      deadLetters: createDeadLetterReads(read, viewer, writer),
      usage,
      routeDryRun: createRouteDryRun(read, organizationId, clock),
      changes: createChanges(run, viewer, secrets, (provider, secret) => verifyCredential(provider, secret, signal)),
      live: {
        requestTail: (input) => createRequestTail(streams, input),
        changes: (input) => createChangeStream(streams, input),
        budgetAlerts: (input) => createAlertStream(streams, input),
        usageTicks: (input) => createUsageTicks(streams, usage, reports, input),
      },
      rateLimit,
      server,
    };
  };
}
