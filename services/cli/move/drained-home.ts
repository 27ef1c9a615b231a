import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { openEventLogConsumer } from '../../eventlog/open-event-log.ts';
import { inspectSpool } from '../../eventlog/spool/inspect-spool.ts';
import { findPrincipal } from '../../registry/admin-access.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { deriveSecrets } from '../../runtime/secrets.ts';
import { StartRefusal } from '../../runtime/start-refusal.ts';
import { readEndpoints } from '../start/endpoints.ts';

export type HomeUnderCheck = {
  readonly home: string;
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

/**
 * Refuses a home whose books are not complete: what its proxy has not sent or has set aside, its ledger has not posted or its
 * sequencer has not placed would be left behind. The home must be locked and stopped.
 * @throws StartRefusal saying what is open and how to finish it.
 */
export async function refuseUndrained({ home, db, clock, random, log }: HomeUnderCheck): Promise<void> {
  const open: string[] = [];
  const folder = join(home, 'proxy', 'spool');
  const spool = await inspectSpool(folder, log);
  if (spool.unsent > 0) open.push(`${spool.unsent} settled request(s) in the proxy's spool`);
  if (spool.open > 0) open.push(`${spool.open} unsettled request(s) in the proxy's spool`);
  const unposted = existsSync(join(home, 'eventlog')) ? await countUnposted({ home, db, clock, random, log }) : 0n;
  if (unposted > 0n) open.push(`${unposted} event(s) in the event log that the ledger has not posted`);
  const unsequenced = await db
    .selectFrom('journal_unsequenced')
    .select((count) => count.fn.countAll().as('rows'))
    .executeTakeFirstOrThrow();
  if (BigInt(unsequenced.rows) > 0n) open.push(`${unsequenced.rows} entries without a place in the journal`);
  if (open.length > 0) throw unfinished(home, open);
  if (spool.setAside === 0) return;
  throw new StartRefusal(
    `${folder} holds ${spool.setAside} event(s) that the event log refused for good (rejected-….jsonl, one a line, with the reason): they are in ` +
      'no books and would not be in the moved ones. Keep these files elsewhere, out of that folder, and run this again.',
  );
}

function unfinished(home: string, open: readonly string[]): StartRefusal {
  return new StartRefusal(
    `${home} is not finished: ${open.join(', ')}. Start it once more without DATABASE_URL and KAFKA_BROKERS (TURNPIKE_HOME=${home} npm start), ` +
      'send nothing, and stop it with Ctrl-C after a few seconds.',
  );
}

async function countUnposted({ home, db, clock, random, log }: HomeUnderCheck): Promise<bigint> {
  const eventLog = await openEventLogConsumer({
    environment: { home, databaseUrl: null, kafka: null, embeddedLog: true },
    clientId: 'turnpike-move',
    topic: REQUESTS_TOPIC,
    log,
    clock,
    random,
    onRefused: () => {},
  });
  try {
    const posted = await db
      .selectFrom('log_offsets')
      .select(['partition', 'next_offset'])
      .where('topic', '=', REQUESTS_TOPIC.name)
      .execute();
    const nextOffsets = new Map(posted.map((row) => [row.partition, row.next_offset]));
    let unposted = 0n;
    for (const [partition, { next }] of await eventLog.consumer.offsets(REQUESTS_TOPIC))
      unposted += next - (nextOffsets.get(partition) ?? 0n);
    return unposted;
  } finally {
    await eventLog.close(1_000);
  }
}

/**
 * Refuses a master key that is not this home's: under another one no key would be recognized and no credential unsealed.
 * Its proof is the administrator's key of `endpoints.json`, whose hash the database holds, else the home's own `master.key`.
 * @throws StartRefusal
 */
export async function refuseOtherMasterKey({ home, db, clock }: HomeUnderCheck, masterKey: Buffer): Promise<void> {
  const kept = join(home, 'master.key');
  const own = existsSync(kept) ? Buffer.from((await readFile(kept, 'utf8')).trim(), 'base64') : null;
  const endpoints = await readEndpoints(home);
  const principal = endpoints === null ? null : await findPrincipal(db, endpoints.adminKey, deriveSecrets(masterKey), clock.now());
  if (principal !== null && principal.kind !== 'unknown') return;
  if (principal === null && own?.equals(masterKey)) return;
  throw new StartRefusal(
    `TURNPIKE_MASTER_KEY is not the key that ${home} was made with, without which none of its keys is recognized. ` +
      (own === null ? 'Take the one that it was started with.' : `It is: export TURNPIKE_MASTER_KEY=$(cat ${kept})`),
  );
}
