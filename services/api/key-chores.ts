import type { Kysely } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { tellDueRotation } from '../registry/key-rotation.ts';
import { takeLeakedKey } from '../registry/leaked-keys.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Random } from '../runtime/random.ts';
import { startChore } from './chore.ts';

/** What is done to keys without anybody asking for it. */
export interface KeyChores {
  /** Keys were handed in as leaked. */
  readonly leaked: () => void;
  readonly stop: () => Promise<void>;
}

/** Revokes what was handed in as leaked, and tells whose next secret is due. @param options.db in role `writer`. */
export function startKeyChores(options: {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}): KeyChores {
  const { db, clock, random, log } = options;
  const by = { clock, random };
  const revoking = startChore({
    takeOne: async () => {
      const taken = await takeLeakedKey(db, by);
      if (taken.kind === 'revoked') {
        const { keyId, organizationId, display } = taken;
        log.warn({ apiKeyId: keyId, organizationId, secret: display }, 'a secret was handed in as leaked and is revoked');
      }
      return taken.kind !== 'none';
    },
    trouble: 'leaked keys that were handed in could not be looked up',
    log,
  });
  const telling = startChore({ takeOne: () => tellDueRotation(db, by), trouble: 'due rotations of keys could not be told', log });
  return {
    leaked: revoking.wake,
    stop: async () => {
      await Promise.all([revoking.stop(), telling.stop()]);
    },
  };
}
