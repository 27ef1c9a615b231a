import { createHash } from 'node:crypto';
import type { Transaction } from 'kysely';
import { sql } from 'kysely';
import type { ChangeError } from '../../../schema/graphql/ports/change-outcome.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { canonicalJson } from '../../journal/canonical-json.ts';

/** How long an answer is replayed (DESIGN.md, ruling "idempotency keys"). */
export const replayedForMs = 48 * 3_600_000;

/** What is kept of an answer: never a secret. */
export interface KeptAnswer {
  readonly entityId: string | null;
  readonly auditEventId: string | null;
  readonly cursor: string | null;
  readonly errors: readonly ChangeError[];
}

export interface IdempotencyScope {
  readonly organizationId: string;
  readonly actor: string;
  readonly field: string;
  readonly key: string;
}

export type Claim =
  | { readonly kind: 'new'; readonly keep: (answer: KeptAnswer) => Promise<void> }
  | { readonly kind: 'replay'; readonly answer: KeptAnswer }
  | { readonly kind: 'reused' }
  | { readonly kind: 'in_progress' };

/**
 * Claims an idempotency key within the transaction of its change: the lock ends with the transaction, so a process that dies
 * leaves nothing claimed, and of two at once the second is told so instead of waiting.
 */
export async function claimKey(trx: Transaction<Database>, scope: IdempotencyScope, input: unknown, now: Date): Promise<Claim> {
  const { organizationId, actor, field, key } = scope;
  const lock = createHash('sha256')
    .update(canonicalJson([organizationId, actor, field, key]))
    .digest()
    .readBigInt64BE();
  const requestHash = createHash('sha256').update(canonicalJson(input)).digest();
  const { rows } = await sql<{ locked: boolean }>`select pg_try_advisory_xact_lock(${lock.toString()}::bigint) as locked`.execute(trx);
  if (rows[0]?.locked !== true) return { kind: 'in_progress' };

  const found = await trx
    .selectFrom('idempotency_keys')
    .select(['request_hash', 'result', 'created_at'])
    .where('organization_id', '=', organizationId)
    .where('actor', '=', actor)
    .where('field', '=', field)
    .where('key', '=', key)
    .executeTakeFirst();
  if (found !== undefined && found.created_at.getTime() > now.getTime() - replayedForMs) {
    return found.request_hash.equals(requestHash) ? { kind: 'replay', answer: parseAnswer(found.result) } : { kind: 'reused' };
  }
  return {
    kind: 'new',
    keep: async (answer) => {
      await sql`insert into idempotency_keys (organization_id, actor, field, key, request_hash, result, created_at)
        values (${organizationId}, ${actor}, ${field}, ${key}, ${requestHash}, ${JSON.stringify(answer)}::jsonb, ${now})
        on conflict (organization_id, actor, field, key) do update
        set request_hash = excluded.request_hash, result = excluded.result, created_at = excluded.created_at`.execute(trx);
    },
  };
}

function parseAnswer(result: unknown): KeptAnswer {
  if (typeof result !== 'object' || result === null || !('entityId' in result)) throw new Error('an idempotency key holds no answer');
  return result as KeptAnswer;
}
