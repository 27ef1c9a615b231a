import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

export interface KeyUses {
  /** An admin key was let in. Costs no query. */
  readonly note: (apiKeyId: string) => void;
  /** Writes what was noted. */
  readonly flush: () => Promise<void>;
  /** Writes what was noted, and stops. */
  readonly stop: () => Promise<void>;
}

const everyMs = 60_000;
/** Keys noted between two writes; of more the last use shows at their next. */
const mostNoted = 10_000;

/**
 * Keeps when each admin key was last used, to the minute: no entry of the ledger tells it, as one does of every other key. It is
 * neither a change of the key nor worth an event. What cannot be written is tried again with the next.
 * @param options.db in role `writer`.
 */
export function createKeyUses(options: { readonly db: Kysely<Database>; readonly clock: Clock; readonly log: Log }): KeyUses {
  const { db, clock, log } = options;
  let noted = new Map<string, Date>();
  let running: Promise<void> | null = null;

  const write = async (): Promise<void> => {
    const uses = noted;
    noted = new Map();
    if (uses.size === 0) return;
    try {
      await writeLastUses(db, uses);
    } catch (error) {
      for (const [id, at] of uses) if (!noted.has(id)) noted.set(id, at);
      log.warn({ error }, 'when admin keys were last used could not be written; trying again');
    }
  };
  const flush = (): Promise<void> => {
    running ??= write().finally(() => {
      running = null;
    });
    return running;
  };
  const timer = setInterval(() => void flush(), everyMs);

  return {
    note: (apiKeyId) => {
      if (noted.size < mostNoted || noted.has(apiKeyId)) noted.set(apiKeyId, new Date(clock.now()));
    },
    flush,
    stop: async () => {
      clearInterval(timer);
      await running;
      await flush();
    },
  };
}

/** Never backwards: several apis write. In the order of ids, so that two at once cannot wait for each other. */
async function writeLastUses(db: Kysely<Database>, uses: ReadonlyMap<string, Date>): Promise<void> {
  await sql`with used as materialized (
      select id, at from api_keys join unnest(${[...uses.keys()]}::uuid[], ${[...uses.values()]}::timestamptz[]) as noted (key_id, at) on id = key_id
      where last_used_at is null or last_used_at < at order by id for no key update of api_keys)
    update api_keys set last_used_at = used.at from used where api_keys.id = used.id`.execute(db);
}
