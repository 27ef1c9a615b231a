import type { Kysely } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { takeLeakedKey } from '../registry/leaked-keys.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Random } from '../runtime/random.ts';

export interface LeakedKeyTaking {
  /** Some were just handed in. */
  readonly wake: () => void;
  readonly stop: () => Promise<void>;
}

/** What another api kept and did not live to take is taken a second later. */
const everyMs = 1_000;

/** Revokes what was handed in as leaked, at once here and from every api: each report is taken by one of them. What fails is tried again. */
export function startTakingLeakedKeys(options: {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}): LeakedKeyTaking {
  const { db, clock, random, log } = options;
  let running: Promise<void> | null = null;
  let isWoken = false;
  let isStopped = false;
  let isTroubled = false;

  const takeAll = async (): Promise<void> => {
    while (!isStopped) {
      isWoken = false;
      const taken = await takeLeakedKey(db, { clock, random });
      isTroubled = false;
      if (taken.kind === 'none' && !isWoken) return;
      if (taken.kind === 'revoked') {
        const { keyId, organizationId, display } = taken;
        log.warn({ apiKeyId: keyId, organizationId, secret: display }, 'a secret was handed in as leaked and is revoked');
      }
    }
  };
  const take = (): void => {
    if (isStopped) return;
    running ??= takeAll()
      .catch((error: unknown) => {
        // Said once, not every second.
        if (!isTroubled) log.warn({ error }, 'leaked keys that were handed in could not be looked up; trying again');
        isTroubled = true;
      })
      .finally(() => {
        running = null;
      });
  };
  const timer = setInterval(take, everyMs);

  return {
    wake: () => {
      isWoken = true;
      take();
    },
    stop: async () => {
      isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
