import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Viewer } from '../../../schema/graphql/context.ts';
import type { NodeName } from '../../../schema/graphql/global-id.ts';
import type { ChangeError, ChangeErrorCode, ChangeOutcome } from '../../../schema/graphql/ports/change-outcome.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { idFromUuid } from '../../../schema/values/ids.ts';
import type { AuditOrigin } from '../../journal/append-audit.ts';
import type { Change, RegistryErrorCode } from '../../registry/change.ts';
import { RegistryError } from '../../registry/change.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import type { KeptAnswer } from './idempotency.ts';
import { claimKey } from './idempotency.ts';

/** What a write of the registry comes back with. */
export interface Written<Row> {
  readonly entityId: string | null;
  readonly row: Row | null;
  readonly auditEventId: string | null;
  /** Returned once and never kept. */
  readonly secret?: string;
}

export interface ChangeRequest {
  /** The mutation, as the schema calls it. */
  readonly field: string;
  /** Null where the mutation takes an expected version instead. */
  readonly idempotencyKey: string | null;
  /** Everything else that was asked, to tell one request from another. */
  readonly input: unknown;
  /** uuid of the organization in which to write. */
  readonly organizationId: string;
  /** What is shown as `current` in a conflict. */
  readonly target: { readonly type: NodeName; readonly id: string } | null;
}

export type RunChange = <Row>(
  request: ChangeRequest,
  write: (change: Change) => Promise<Written<Row>>,
) => Promise<ChangeOutcome<Row> & { readonly secret: string | null }>;

const codes: Readonly<Record<RegistryErrorCode, ChangeErrorCode>> = {
  not_found: 'NOT_FOUND',
  name_taken: 'NAME_TAKEN',
  version_conflict: 'VERSION_CONFLICT',
  managed_by_file: 'MANAGED_BY_FILE',
  invalid: 'INVALID_INPUT',
  already_revoked: 'INVALID_INPUT',
  archived: 'INVALID_INPUT',
};

const refused = (error: ChangeError): KeptAnswer => ({ entityId: null, auditEventId: null, cursor: null, errors: [error] });
const plainError = (code: ChangeErrorCode, message: string, path: readonly string[]): ChangeError => ({
  code,
  message,
  path,
  current: null,
});

/**
 * Runs changes of one viewer: each in one transaction with its audit event and, where a key was given, its kept answer. A
 * refusal is an answer as well and is kept like one: the same key gets it again for as long as the key lives.
 * @param options.cursorAfter makes the cursor from which on a stream sees the change. @param options.db in role `writer`.
 */
export function createRunChange(options: {
  readonly db: Kysely<Database>;
  readonly viewer: Viewer;
  readonly origin: AuditOrigin;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly cursorAfter: (trx: Transaction<Database>) => Promise<string>;
}): RunChange {
  const { db, viewer, clock, random, signal } = options;
  const actorId = idFromUuid('apiKey', viewer.apiKeyId);

  return async (request, write) => {
    signal.throwIfAborted();
    return db.transaction().execute(async (trx) => {
      const now = new Date(clock.now());
      const claim =
        request.idempotencyKey === null
          ? null
          : await claimKey(
              trx,
              { organizationId: viewer.organizationId, actor: actorId, field: request.field, key: request.idempotencyKey },
              request.input,
              now,
            );
      if (claim?.kind === 'replay') return { ...claim.answer, row: null, replayed: true, secret: null };
      if (claim?.kind === 'in_progress') {
        const error = plainError('IDEMPOTENCY_IN_PROGRESS', 'A request with this idempotency key is under way.', ['idempotencyKey']);
        return { ...refused(error), row: null, replayed: false, secret: null };
      }
      if (claim?.kind === 'reused') {
        const error = plainError('IDEMPOTENCY_KEY_REUSED', 'This idempotency key was used for another request.', ['idempotencyKey']);
        return { ...refused(error), row: null, replayed: false, secret: null };
      }

      const change: Change = {
        trx,
        organizationId: request.organizationId,
        actor: { kind: 'api_key', id: actorId, name: viewer.name },
        origin: options.origin,
        clock,
        random,
      };
      // A refusal must undo what the write began, but not the claim of its key.
      await sql`savepoint before_change`.execute(trx);
      try {
        const written = await write(change);
        const answer: KeptAnswer = {
          entityId: written.entityId,
          auditEventId: written.auditEventId,
          cursor: await options.cursorAfter(trx),
          errors: [],
        };
        await claim?.keep(answer);
        return { ...answer, row: written.row, replayed: false, secret: written.secret ?? null };
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        await sql`rollback to savepoint before_change`.execute(trx);
        const answer = refused({
          code: codes[error.code],
          message: error.message,
          path: ['input', ...error.path],
          current: error.code === 'version_conflict' ? request.target : null,
        });
        await claim?.keep(answer);
        return { ...answer, row: null, replayed: false, secret: null };
      }
    });
  };
}
