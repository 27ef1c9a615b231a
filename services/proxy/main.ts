import { uptime } from 'node:os';
import { join } from 'node:path';
import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import { chosenKafka, openEventLogProducer } from '../eventlog/open-event-log.ts';
import { openSpool } from '../eventlog/spool/open-spool.ts';
import { createSnapshotMemory, readRevision, readSnapshot } from '../registry/read-snapshot.ts';
import { runProcess } from '../runtime/boot.ts';
import { readCredential } from '../runtime/environment.ts';
import { armFailpoints } from '../runtime/failpoints/failpoints.ts';
import { letHeapGrow } from '../runtime/heap-growth.ts';
import { listenRefusal } from '../runtime/listen-refusal.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { refusePendingMigrations } from '../runtime/migrate.ts';
import { createDatabase } from '../runtime/postgres.ts';
import { deriveSecrets, loadMasterKey } from '../runtime/secrets.ts';
import { StartRefusal } from '../runtime/start-refusal.ts';
import { createBatchRecords } from './batches/batch-records.ts';
import { createLeaseDatabase } from './budgets/lease-database.ts';
import { createLeaseSums } from './budgets/lease-sums.ts';
import { createLookAtLimits } from './budgets/look-at-limits.ts';
import { readMachineBoot } from './budgets/machine-boot.ts';
import { judgeBoots } from './budgets/spool-remains.ts';
import { createProxySeams } from './failpoints.ts';
import { createFileRecords } from './files/file-records.ts';
import { createKeyedRequests } from './idempotency/keyed-requests.ts';
import { giveUpNodeId, readNodeId } from './node-identity.ts';
import { createProxy } from './proxy.ts';
import { createShareDatabase } from './shares/share-database.ts';

/** The supervisor ends a process after 20 s; the rest is for the spool to hand over what is settled. */
const FINISH_MS = 10_000;
const HURRIED_MS = 250;
const SPOOL_STOP_MS = 5_000;
/** The registry is asked four times a second: a statement that takes longer than this is as good as none. */
const STATEMENT_TIMEOUT_MS = 5_000;
/** A request waits a quarter of a second for room; what comes later serves the next ones. */
const LEASE_TIMEOUT_MS = 2_000;
/** Shorter than a request waits for its idempotency key. */
const KEY_TIMEOUT_MS = 2_000;

runProcess({
  name: 'proxy',
  start: async ({ environment, log, clock, random, fail }) => {
    const { home, host, trustedProxies, proxyPort, databaseUrl } = environment;
    chosenKafka(environment);
    letHeapGrow();
    if (databaseUrl === null) throw new StartRefusal('DATABASE_URL is not set: the proxy reads its keys, models and prices from there.');
    const folder = join(home, 'proxy');
    const secrets = deriveSecrets(
      await loadMasterKey({ given: environment.masterKey, home, random, mustBeGiven: !environment.embeddedLog }),
    );
    const nodePath = join(folder, 'node');
    const node = await readNodeId(nodePath, clock, random);
    const database = createDatabase({
      url: databaseUrl,
      // A reader sees one organization and no hash of a secret; the snapshot holds all of both. It only ever reads.
      role: 'writer',
      applicationName: 'turnpike-proxy',
      poolSize: 2,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      connectTimeoutMs: STATEMENT_TIMEOUT_MS,
      onConnectionError: (error) => log.warn({ error }, 'a connection to PostgreSQL broke'),
    });
    await refusePendingMigrations(database.db).catch((error: unknown) => {
      if (error instanceof StartRefusal) throw error;
      // A kept snapshot is enough to serve.
      log.warn({ error }, 'PostgreSQL cannot be asked whether it is migrated');
    });
    // Connections of their own: an ask must not wait behind the reading of a snapshot.
    const leaseConnections = createDatabase({
      url: databaseUrl,
      role: 'writer',
      applicationName: 'turnpike-proxy-leases',
      poolSize: 4,
      statementTimeoutMs: LEASE_TIMEOUT_MS,
      connectTimeoutMs: LEASE_TIMEOUT_MS,
      onConnectionError: (error) => log.warn({ error }, 'a connection to PostgreSQL broke'),
    });
    // And these are made when the first request with an idempotency key comes.
    const keyConnections = createDatabase({
      url: databaseUrl,
      role: 'writer',
      applicationName: 'turnpike-proxy-keys',
      poolSize: 6,
      statementTimeoutMs: KEY_TIMEOUT_MS,
      connectTimeoutMs: KEY_TIMEOUT_MS,
      onConnectionError: (error) => log.warn({ error }, 'a connection to PostgreSQL broke'),
    });
    const fileConnections = createDatabase({
      url: databaseUrl,
      role: 'writer',
      applicationName: 'turnpike-proxy-files',
      poolSize: 3,
      statementTimeoutMs: KEY_TIMEOUT_MS,
      connectTimeoutMs: KEY_TIMEOUT_MS,
      onConnectionError: (error) => log.warn({ error }, 'a connection to PostgreSQL broke'),
    });
    const known = createSnapshotMemory();
    const machineBoot = await readMachineBoot(clock);
    const leaseSums = createLeaseSums(node);
    const seams = createProxySeams(armFailpoints(environment.failpoints, log));
    const producer = seams.producer(
      await openEventLogProducer({
        environment,
        clientId: 'turnpike-proxy',
        topic: REQUESTS_TOPIC,
        log,
        clock,
        random,
        onRefused: fail,
      }),
    );
    const spool = seams.spool(
      await openSpool({
        directory: join(folder, 'spool'),
        durability: environment.durability,
        carried: leaseSums,
        machineBoot,
        sender: { producer, topic: REQUESTS_TOPIC },
        log,
        disk: seams.disk,
        clock,
        random,
      }),
    );
    /** Its own folder tells of whoever took it over in order; where it does not, there are two of this proxy. */
    const leaveNameToCopy = async (): Promise<void> => {
      if (await spool.hasLaterEpoch()) return;
      await giveUpNodeId(nodePath);
      log.warn(
        { node, epoch: spool.state().epoch },
        'this proxy exists twice: it was copied, or is a copy. Its next start is that of a new proxy',
      );
    };
    const proxy = createProxy({
      spool,
      leaseSums,
      remains: judgeBoots(spool.boots, { machineBoot, durability: environment.durability, soleMachine: environment.embeddedLog }),
      leaseDatabase: (uuid, incarnation) => createLeaseDatabase(leaseConnections.db, uuid, incarnation),
      shareDatabase: (uuid, epoch) => createShareDatabase(leaseConnections.db, uuid, epoch),
      keyedRequests: (uuid, epoch) => createKeyedRequests(keyConnections.db, uuid, epoch),
      fileRecords: createFileRecords(fileConnections.db),
      batchRecords: createBatchRecords(fileConnections.db),
      lookAtLimits: createLookAtLimits(leaseConnections.db),
      uptimeMs: () => uptime() * 1_000,
      onLeasesTaken: (cause) => {
        const taken = new Error(`another process has the leases of this proxy (${cause}): one name is for one proxy`);
        void leaveNameToCopy()
          // A folder that is gone is another's by now.
          .catch((error: unknown) => log.warn({ error }, 'the folder of this proxy cannot be looked at'))
          .finally(() => fail(taken));
      },
      decorateUpstreams: seams.upstreams,
      node,
      source: { readRevision: () => readRevision(database.db), readSnapshot: () => readSnapshot(database.db, known) },
      snapshotPath: join(folder, 'snapshot.json'),
      pepper: secrets.pepper,
      deriveKey: secrets.deriveKey,
      readCredential,
      registry: createMetrics({ process: 'proxy' }),
      clock,
      random,
      log,
      trustedProxies,
    });
    const closeRest = async (deadlineMs: number): Promise<void> => {
      await spool.stop(deadlineMs);
      await producer.close();
      await fileConnections.close();
      await keyConnections.close();
      await leaseConnections.close();
      await database.close();
    };
    let listening: string;
    try {
      if (!(await proxy.start()))
        log.warn('there is neither PostgreSQL nor a kept snapshot; requests are refused until PostgreSQL answers');
      listening = await proxy.app.listen({ host, port: proxyPort });
    } catch (error) {
      await closeRest(HURRIED_MS);
      throw listenRefusal(error, { variable: 'TURNPIKE_PROXY_PORT', host, port: proxyPort });
    }
    return {
      addresses: { http: listening },
      stop: async (hurry) => {
        await proxy.stop(FINISH_MS, hurry);
        await closeRest(hurry.aborted ? HURRIED_MS : SPOOL_STOP_MS);
      },
    };
  },
});
