import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import { formatUsd } from '../../../schema/values/money.ts';
import { EventLogError } from '../../eventlog/event-log.ts';
import { chosenKafka, countRecordsEver } from '../../eventlog/open-event-log.ts';
import { systemClock } from '../../runtime/clock.ts';
import { startEmbeddedPostgres } from '../../runtime/embedded-postgres.ts';
import { embeddedAdministrator } from '../../runtime/embedded-postgres-data.ts';
import type { Environment } from '../../runtime/environment.ts';
import type { KafkaEnvironment } from '../../runtime/kafka-environment.ts';
import { createLog } from '../../runtime/log.ts';
import { pendingMigrations, readMigrations, refusePendingMigrations } from '../../runtime/migrate.ts';
import type { DatabaseConnection } from '../../runtime/postgres.ts';
import { createDatabase } from '../../runtime/postgres.ts';
import { systemRandom } from '../../runtime/random.ts';
import { loadMasterKey } from '../../runtime/secrets.ts';
import { PlainFailure, StartRefusal } from '../../runtime/start-refusal.ts';
import { runOnce } from '../run-once.ts';
import { readEndpoints } from '../start/endpoints.ts';
import { lockHome } from '../start/home-lock.ts';
import { endLeftovers } from '../start/leftovers.ts';
import { refuseOtherMasterKey, refuseUndrained } from './drained-home.ts';
import { moveDatabase } from './move-database.ts';
import type { Verification } from './verify-copy.ts';

export type MoveSettings = { readonly from: string; readonly dryRun?: true };

const leftoverMs = 22_000;
const log = createLog({ name: 'move', level: 'error' });

/** `turnpike move`: an embedded home's state into given servers, verified before it counts. The home itself is left as it is. */
export function moveCommand(settings: MoveSettings): Promise<void> {
  return runOnce(async (environment) => {
    const home = resolve(settings.from);
    const kafka = chosenKafka({ ...environment, embeddedLog: false });
    if (kafka === null) throw new StartRefusal('KAFKA_BROKERS is not set: a home moves into given servers.');
    const masterKey = await loadMasterKey({ given: environment.masterKey, home, random: systemRandom, mustBeGiven: true });
    if (!existsSync(join(home, 'run'))) throw new StartRefusal(`${home} is not the home of an installation: npm start never ran on it.`);
    const addressOf = async (): Promise<string | null> => (await readEndpoints(home))?.proxyUrl ?? null;
    const lock = await lockHome({ home, runFolder: join(home, 'run'), addressOf });
    try {
      await endLeftovers({ runFolder: join(home, 'run'), patienceMs: leftoverMs, onProgress: console.log });
      const server = await startEmbeddedPostgres({ home, onProgress: console.log });
      const source = connect(server.url(embeddedAdministrator, 'turnpike'), 'login');
      try {
        await move({ home, environment, kafka, masterKey, source, dryRun: settings.dryRun === true });
      } finally {
        await source.close();
        await server.stop();
      }
    } finally {
      await lock.release();
    }
  });
}

function connect(url: string, role: 'login' | 'writer'): DatabaseConnection {
  return createDatabase({ url, role, applicationName: 'turnpike-move', poolSize: 2, statementTimeoutMs: 0 });
}

async function move(options: {
  readonly home: string;
  readonly environment: Environment;
  readonly kafka: KafkaEnvironment;
  readonly masterKey: Buffer;
  readonly source: DatabaseConnection;
  readonly dryRun: boolean;
}): Promise<void> {
  const { home, environment, source, dryRun } = options;
  if ((await pendingMigrations(source.db, await readMigrations())).length > 0) {
    throw new StartRefusal(
      `${home} is of an older version. Without DATABASE_URL and KAFKA_BROKERS: TURNPIKE_HOME=${home} npm run turnpike -- migrate`,
    );
  }
  const checked = { home, db: source.db, clock: systemClock, random: systemRandom, log };
  await refuseUndrained(checked);
  await refuseOtherMasterKey(checked, options.masterKey);
  const target = connect(environment.databaseUrl ?? '', 'writer');
  try {
    await refusePendingMigrations(target.db);
    const topicIsThere = await refuseFilledTopic(options.kafka, dryRun);
    print(await moveDatabase(source.db, target.db, dryRun), home, dryRun, topicIsThere);
  } finally {
    await target.close();
  }
}

/**
 * The books go on at the first record of a new log; records of another installation must not be among them.
 * @returns whether the topic is there.
 */
async function refuseFilledTopic(kafka: KafkaEnvironment, dryRun: boolean): Promise<boolean> {
  const topic = REQUESTS_TOPIC;
  const records = await countRecordsEver({ kafka, clientId: 'turnpike-move', topic, log, create: !dryRun }).catch((error: unknown) => {
    if (!(error instanceof EventLogError)) throw error;
    throw new PlainFailure(`Kafka cannot be asked, so nothing was moved: ${error.message}.`, { cause: error });
  });
  if (records === null || records === 0n) return records !== null;
  throw new StartRefusal(
    `The Kafka topic ${topic.name} has held ${records} record(s) already: they belong to other books. ` +
      `Delete the topic where nobody needs it (kafka-topics.sh --delete --topic ${topic.name}), or use another cluster.`,
  );
}

function print({ tables, entries, cost }: Verification, home: string, dryRun: boolean, topicIsThere: boolean): void {
  for (const { name, rows } of tables) if (rows > 0n) console.log(`${name.padEnd(24)} ${String(rows).padStart(12)} rows, equal`);
  console.log(
    `the ledger: ${entries} entries, ${formatUsd(cost)} USD, the same as the rollups of its days; journals without gaps, positions kept`,
  );
  console.log(
    dryRun
      ? `A dry run: nothing was kept. The Kafka topic ${REQUESTS_TOPIC.name} ${topicIsThere ? 'is there, as it must be and unused' : 'is not there yet and will be made'}.`
      : `Moved. Start the processes on the given servers, and do not start ${home} again: it would go on with books of its own.`,
  );
}
