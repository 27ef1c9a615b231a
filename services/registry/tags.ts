import type { Change } from './change.ts';
import { recordChange } from './change.ts';

/**
 * Gives a tag key rollups of its own, from now on: entries posted before carry the tag but are not in its rollups.
 * Activating twice changes nothing. @returns null in place of the audit event where nothing changed.
 */
export async function activateTag(
  change: Change,
  input: { readonly tagKey: string },
): Promise<{ activatedAt: Date; auditEventId: string | null }> {
  const inserted = await change.trx
    .insertInto('activated_tags')
    .values({ organization_id: change.organizationId, tag_key: input.tagKey, activated_at: new Date(change.clock.now()) })
    .onConflict((conflict) => conflict.doNothing())
    .returning('activated_at')
    .executeTakeFirst();
  if (inserted === undefined) {
    const kept = await change.trx
      .selectFrom('activated_tags')
      .select('activated_at')
      .where('organization_id', '=', change.organizationId)
      .where('tag_key', '=', input.tagKey)
      .executeTakeFirstOrThrow();
    return { activatedAt: kept.activated_at, auditEventId: null };
  }
  const auditEventId = await recordChange(change, {
    action: 'tag.activate',
    targets: [{ type: 'tag', id: input.tagKey, name: input.tagKey }],
    changes: [],
  });
  return { activatedAt: inserted.activated_at, auditEventId };
}

/** Stops adding to a tag key's rollups; what they hold stays. @returns null where the key was not activated. */
export async function deactivateTag(change: Change, input: { readonly tagKey: string }): Promise<{ auditEventId: string | null }> {
  const deleted = await change.trx
    .deleteFrom('activated_tags')
    .where('organization_id', '=', change.organizationId)
    .where('tag_key', '=', input.tagKey)
    .returning('tag_key')
    .executeTakeFirst();
  if (deleted === undefined) return { auditEventId: null };
  return {
    auditEventId: await recordChange(change, {
      action: 'tag.deactivate',
      targets: [{ type: 'tag', id: input.tagKey, name: input.tagKey }],
      changes: [],
    }),
  };
}
