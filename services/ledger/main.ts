import { hostname } from 'node:os';
import fastify from 'fastify';
import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import { chosenKafka, openEventLogConsumer } from '../eventlog/open-event-log.ts';
import { awaitDatabase } from '../runtime/await-database.ts';
import { runProcess } from '../runtime/boot.ts';
import { armFailpoints } from '../runtime/failpoints/failpoints.ts';
import { addHealthRoutes } from '../runtime/health.ts';
import { listenRefusal } from '../runtime/listen-refusal.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { createDatabase } from '../runtime/postgres.ts';
import { StartRefusal } from '../runtime/start-refusal.ts';
import { startAlertTeller } from './alerts/alert-teller.ts';
import { startConsumer } from './consume.ts';
import { createLedgerSeams } from './failpoints.ts';
import { startLeaseChecks } from './lease-checks.ts';
import { createLedgerMetrics } from './ledger-metrics.ts';
import { measureLag } from './measure-lag.ts';
import { createPoster, maxTransactions } from './poster.ts';
import { startPurge } from './purge.ts';
import { startRedrive } from './redrive.ts';
import { refuseChangedPartitions } from './refuse-changed-partitions.ts';
import { startHousekeeping } from './retention.ts';
import { startSequencer } from './sequencer.ts';
import { createPostgresDeadLetterStore } from './store/postgres/postgres-dead-letter-store.ts';
import { createPostgresLedgerStore } from './store/postgres/postgres-ledger-store.ts';
import { createPostgresSequencerStore } from './store/postgres/postgres-sequencer-store.ts';

/** How long a stop waits for a database that is away, and for the log's last sync. */
const stopGraceMs = 5_000;
/** For whoever needs the books beside the transactions that post: partitions that are taken over, dead letters, housekeeping. */
const otherConnections = 3;

runProcess({
  name: 'ledger',
  start: async ({ environment, log, clock, random, stopping, fail }) => {
    const { databaseUrl, host, ledgerPort } = environment;
    chosenKafka(environment);
    if (databaseUrl === null) throw new StartRefusal('DATABASE_URL: expected postgresql://user:password@host:port/database, found nothing');
    const connect = (applicationName: string, poolSize: number) =>
      createDatabase({
        url: databaseUrl,
        role: 'writer',
        applicationName,
        poolSize,
        statementTimeoutMs: 10_000,
        onConnectionError: (error) => log.warn({ error }, 'a database connection broke'),
      });
    const database = connect('turnpike-ledger', maxTransactions + otherConnections);
    const sequencerDatabase = connect('turnpike-sequencer', 1);
    const listen = { variable: 'TURNPIKE_LEDGER_PORT', host, port: ledgerPort };
    const topic = REQUESTS_TOPIC;
    const seams = createLedgerSeams(armFailpoints(environment.failpoints, log));
    const store = seams.books(createPostgresLedgerStore(database));
    await awaitDatabase({ database, process: 'ledger', listen, log, stopping }, () => refuseChangedPartitions(store, topic));

    const registry = createMetrics({ process: 'ledger' });
    const metrics = createLedgerMetrics(registry);
    const eventLog = await openEventLogConsumer(
      { environment, clientId: 'turnpike-ledger', topic, log, clock, random, onRefused: fail },
      seams.eventLog,
    );
    const sequencer = startSequencer({ store: seams.sequencer(createPostgresSequencerStore(sequencerDatabase.db)), clock, log, metrics });
    const poster = createPoster({ store, topic: topic.name, clock, random, log, metrics, onPosted: sequencer.wake });
    const consumer = await startConsumer({
      store,
      eventLog: measureLag(seams.consumer(eventLog.consumer), { registry, clock }),
      topic,
      group: 'turnpike-ledger',
      owner: `ledger ${process.pid} on ${hostname()}`,
      poster,
      clock,
      log,
      metrics,
      onConsumed: eventLog.release,
    });
    const housekeeping = startHousekeeping({ db: database.db, clock, log });
    const leaseChecks = startLeaseChecks({ db: database.db, log, metrics });
    const purge = startPurge({ db: database.db, log, metrics });
    const alerts = startAlertTeller({ db: database.db, clock, random, log, metrics, onTold: sequencer.wake });
    const letters = seams.letters(createPostgresDeadLetterStore({ db: database.db, clock, random }));
    const redrive = startRedrive({ letters, store, clock, log, metrics, onPosted: sequencer.wake });

    const app = fastify();
    addHealthRoutes(app, { registry, checks: () => [...consumer.checks(), ...sequencer.checks()] });
    const address = await app.listen({ host, port: ledgerPort }).catch((error: unknown) => {
      throw listenRefusal(error, listen);
    });

    return {
      addresses: { http: address },
      stop: async (hurry) => {
        hurry.addEventListener('abort', () => poster.giveUp(), { once: true });
        await consumer.stop(stopGraceMs);
        await redrive.stop();
        await Promise.all([sequencer.stop(), housekeeping.stop(), leaseChecks.stop(), purge.stop(), alerts.stop()]);
        await eventLog.close(stopGraceMs);
        await app.close();
        await Promise.all([database.close(), sequencerDatabase.close()]);
      },
    };
  },
});
