import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Change } from './change.ts';
import { recordChange } from './change.ts';

/** Somebody's word that a secret is known to whom it should not be. */
export interface LeakedKeyReport {
  /** HMAC-SHA-256 under the pepper. */
  readonly hash: Buffer;
  readonly source: string | null;
  readonly url: string | null;
  /** Of who handed it in. */
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** Reports that wait to be looked at; as many more as are handed in at once may pass it. */
const MOST_WAITING = 10_000;

/**
 * Keeps reports, in one transaction, until {@link takeLeakedKey} looks them up. It costs the same whether a secret is anybody's or not,
 * and nothing about that comes back.
 * @returns false where too many wait already; then none was kept.
 */
export async function keepLeakedKeys(db: Kysely<Database>, reports: readonly LeakedKeyReport[], now: Date): Promise<boolean> {
  if (reports.length === 0) return true;
  const { waiting } = await db
    .selectFrom(db.selectFrom('leaked_key_reports').select('hash').limit(MOST_WAITING).as('some'))
    .select(sql<bigint>`count(*)`.as('waiting'))
    .executeTakeFirstOrThrow();
  if (waiting >= BigInt(MOST_WAITING)) return false;
  await db
    .insertInto('leaked_key_reports')
    .values(reports.map(({ userAgent, ...report }) => ({ ...report, user_agent: userAgent, reported_at: now })))
    // Handed in twice before it was looked at: once is enough.
    .onConflict((conflict) => conflict.column('hash').doNothing())
    .execute();
  return true;
}

/** What became of a report. */
export type TakenReport =
  | { readonly kind: 'none' }
  /** Nobody's secret, or one that had ended. */
  | { readonly kind: 'passed' }
  /** Ids in text form. */
  | { readonly kind: 'revoked'; readonly keyId: string; readonly organizationId: string; readonly display: string };

/**
 * Looks up the report that waits longest and no other process has in hand. A secret that still lives is revoked, whoever owns its key and
 * whatever the key can do: it is known to who should not have it, and who hands it in could have used it. The key itself stays, with its
 * other secret in grace if it has one, its limits and its history; rotating it gives it a new one. One transaction with its audit event
 * and the end of the report: of several processes one does it, and one that dies leaves it to another.
 */
export function takeLeakedKey(db: Kysely<Database>, by: { readonly clock: Clock; readonly random: Random }): Promise<TakenReport> {
  return db.transaction().execute(async (trx) => {
    const report = await trx
      .deleteFrom('leaked_key_reports')
      .where('hash', '=', (waiting) =>
        waiting.selectFrom('leaked_key_reports').select('hash').orderBy('reported_at').limit(1).forUpdate().skipLocked(),
      )
      .returningAll()
      .executeTakeFirst();
    if (report === undefined) return { kind: 'none' };
    const now = new Date(by.clock.now());
    const secret = await liveSecret(trx, report.hash, now);
    if (secret === undefined) return { kind: 'passed' };
    await trx.updateTable('api_key_secrets').set({ revoked_at: now, leaked_at: now }).where('id', '=', secret.id).execute();
    await trx
      .updateTable('api_keys')
      .set({ version: sql<number>`version + 1`, updated_at: now })
      .where('id', '=', secret.api_key_id)
      .execute();
    const change: Change = {
      trx,
      organizationId: secret.organization_id,
      actor: { kind: 'system', id: 'leaked-keys', name: 'a leaked key that was handed in' },
      origin: { requestId: null, address: report.address, userAgent: report.user_agent },
      ...by,
    };
    const keyId = idFromUuid('apiKey', secret.api_key_id);
    await recordChange(change, {
      action: 'api_key.leaked',
      targets: [{ type: 'api_key', id: keyId, name: secret.name }],
      changes: [
        { field: 'revoked', from: null, to: [secret.display] },
        { field: 'source', from: null, to: report.source },
        { field: 'url', from: null, to: report.url },
      ],
    });
    return { kind: 'revoked', keyId, organizationId: idFromUuid('organization', secret.organization_id), display: secret.display };
  });
}

/** The secret, with its key held until the change commits; none where either has ended. */
async function liveSecret(trx: Transaction<Database>, hash: Buffer, now: Date) {
  const found = await trx.selectFrom('api_key_secrets').select(['id', 'api_key_id']).where('hash', '=', hash).executeTakeFirst();
  if (found === undefined) return undefined;
  // The key first and its secret after, as every other change of a key does.
  const key = await trx
    .selectFrom('api_keys')
    .select(['organization_id', 'name'])
    .where('id', '=', found.api_key_id)
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
    .forUpdate()
    .executeTakeFirst();
  if (key === undefined) return undefined;
  const secret = await trx
    .selectFrom('api_key_secrets')
    .select(['id', 'api_key_id', 'display'])
    .where('id', '=', found.id)
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
    .executeTakeFirst();
  return secret === undefined ? undefined : { ...secret, ...key };
}
