import type { Kysely } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Change } from './change.ts';
import { RegistryError, recordAct } from './change.ts';

/** How often a key wants a new secret. */
export interface RotationSchedule {
  /** From one secret to when the next is due; null = never. */
  readonly rotateEveryMs: number | null;
  /** How long a secret works on once the next is due; null = until there is one. */
  readonly rotateWithinMs: number | null;
}

/** The schedule as a row holds it, with what follows from it. */
export interface RotationColumns {
  rotate_every_seconds: number | null;
  rotate_within_seconds: number | null;
  rotation_due_at: Date | null;
  rotation_told_at: Date | null;
}

const SHORTEST_MS = 3_600_000;
const LONGEST_MS = 400 * 86_400_000;

/**
 * The schedule that an update leaves. Who takes the interval away takes its deadline along.
 * @throws RegistryError `invalid`, which names the field.
 */
export function scheduleAfter(before: RotationSchedule, asked: Partial<RotationSchedule>): RotationSchedule {
  const { rotateEveryMs = before.rotateEveryMs, rotateWithinMs = rotateEveryMs === null ? null : before.rotateWithinMs } = asked;
  if (rotateEveryMs !== null && (rotateEveryMs < SHORTEST_MS || rotateEveryMs > LONGEST_MS || rotateEveryMs % 1_000 !== 0))
    throw new RegistryError('invalid', 'A key is rotated every PT1H to P400D, in whole seconds.', ['rotateEvery']);
  if (rotateWithinMs === null) return { rotateEveryMs, rotateWithinMs };
  if (rotateEveryMs === null) throw new RegistryError('invalid', 'Only a key with `rotateEvery` can be late.', ['rotateWithin']);
  if (rotateWithinMs < 0 || rotateWithinMs > LONGEST_MS || rotateWithinMs % 1_000 !== 0)
    throw new RegistryError('invalid', 'A late rotation is waited for PT0S to P400D, in whole seconds.', ['rotateWithin']);
  return { rotateEveryMs, rotateWithinMs };
}

export function scheduleOf(key: Pick<RotationColumns, 'rotate_every_seconds' | 'rotate_within_seconds'>): RotationSchedule {
  const ms = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1_000);
  return { rotateEveryMs: ms(key.rotate_every_seconds), rotateWithinMs: ms(key.rotate_within_seconds) };
}

/** What the row of a key holds under a schedule. @param secretMadeAt of its newest secret; null = it has none. */
export function rotationColumns({ rotateEveryMs, rotateWithinMs }: RotationSchedule, secretMadeAt: Date | null): RotationColumns {
  return {
    rotate_every_seconds: rotateEveryMs === null ? null : rotateEveryMs / 1_000,
    rotate_within_seconds: rotateWithinMs === null ? null : rotateWithinMs / 1_000,
    rotation_due_at: rotateEveryMs === null || secretMadeAt === null ? null : new Date(secretMadeAt.getTime() + rotateEveryMs),
    rotation_told_at: null,
  };
}

/**
 * When the newest secret of a key ends by its schedule; null = it does not. Whoever sets a schedule that a secret is past already still has
 * the time in which a late rotation is waited for.
 */
export function secretEndsAt({ rotateEveryMs, rotateWithinMs }: RotationSchedule, secretMadeAt: Date, now: Date): Date | null {
  if (rotateEveryMs === null || rotateWithinMs === null) return null;
  return new Date(Math.max(secretMadeAt.getTime() + rotateEveryMs, now.getTime()) + rotateWithinMs);
}

/**
 * Tells of the key whose rotation has been due longest and was not told of: an audit event `api_key.rotation_due`, once for each time it
 * becomes due. One transaction: of several processes one tells, and one that dies leaves it to another. A key that cannot be used is not due.
 * @returns false where there is none.
 */
export function tellDueRotation(db: Kysely<Database>, by: { readonly clock: Clock; readonly random: Random }): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const now = new Date(by.clock.now());
    const key = await trx
      .updateTable('api_keys')
      .set({ rotation_told_at: now })
      .where('id', '=', (due) =>
        due
          .selectFrom('api_keys')
          .select('id')
          .where('rotation_due_at', '<=', now)
          .where('rotation_told_at', 'is', null)
          .where('revoked_at', 'is', null)
          .where('disabled_at', 'is', null)
          .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
          .orderBy('rotation_due_at')
          .limit(1)
          .forUpdate()
          .skipLocked(),
      )
      .returning(['id', 'name', 'organization_id', 'rotation_due_at', 'rotate_within_seconds'])
      .executeTakeFirst();
    if (key === undefined) return false;
    const change: Change = {
      trx,
      organizationId: key.organization_id,
      actor: { kind: 'system', id: 'rotation', name: 'the schedule of a key' },
      origin: { requestId: null, address: null, userAgent: null },
      ...by,
    };
    await recordAct(change, {
      action: 'api_key.rotation_due',
      targets: [{ type: 'api_key', id: idFromUuid('apiKey', key.id), name: key.name }],
      changes: [{ field: 'rotation_due_at', from: null, to: key.rotation_due_at }],
    });
    return true;
  });
}
