import type { LogRecord } from '../../schema/events/log-record.ts';
import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { EventLogProducer } from '../../services/eventlog/event-log.ts';
import type { BooksChecker } from './checker/books-checker.ts';
import { createBooksChecker } from './checker/books-checker.ts';
import type { LeaseChecker } from './checker/lease-checker.ts';
import { createLeaseChecker } from './checker/lease-checker.ts';
import { createLogWitness } from './checker/log-witness.ts';
import type { SpoolWitness } from './checker/spool-witness.ts';
import { createSpoolWitness, surviving } from './checker/spool-witness.ts';
import { witnessStore } from './checker/store-witness.ts';
import { createSubscriptionChecker } from './checker/subscription-checker.ts';
import type { Verdict } from './checker/verdict.ts';
import type { Dice } from './dice.ts';
import type { WorldEventLog } from './event-logs.ts';
import { createWorldEventLog } from './event-logs.ts';
import type { Counts } from './faults/counts.ts';
import type { DatabaseFaults } from './faults/database-faults.ts';
import { createDatabaseFaults } from './faults/database-faults.ts';
import type { ForeignRecords } from './faults/foreign-records.ts';
import { createForeignRecords } from './faults/foreign-records.ts';
import { createLivingDisk } from './faults/living-disk.ts';
import type { Network } from './faults/network.ts';
import { createNetwork } from './faults/network.ts';
import { createSimulatedBudgets } from './leases/simulated-budgets.ts';
import type { Life } from './life.ts';
import { startLife } from './life.ts';
import type { Machine } from './machine.ts';
import { createMachine } from './machine.ts';
import { EPOCH_MS } from './machine-clock.ts';
import type { Model } from './model.ts';
import { createModel } from './model.ts';
import type { Tampering } from './mutations/tampering.ts';
import { SHEETS } from './prices.ts';
import type { Api } from './processes/api.ts';
import { startApi } from './processes/api.ts';
import type { Ledger } from './processes/ledger.ts';
import { startLedger } from './processes/ledger.ts';
import type { ProxyProcess } from './processes/proxy.ts';
import { SPOOL_DIRECTORY, startProxy } from './processes/proxy.ts';
import type { Subscriber } from './processes/subscriber.ts';
import { startSubscriber } from './processes/subscriber.ts';
import type { Profile } from './profile.ts';
import { createRunLog } from './run-log.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedPostgres } from './store/simulated-postgres.ts';
import { createSimulatedPostgres } from './store/simulated-postgres.ts';
import type { SimulatedStores } from './store/simulated-stores.ts';
import { connectSimulatedStores } from './store/simulated-stores.ts';
import type { Slot } from './supervisor.ts';
import { createSlot } from './supervisor.ts';
import { createTenants } from './tenants.ts';
import type { Trace } from './trace.ts';

/** Everything there is: machines, processes, what lies between them, and who watches. */
export interface World {
  readonly profile: Profile;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly counts: Counts;
  readonly network: Network;
  readonly server: SimulatedPostgres;
  readonly databaseFaults: DatabaseFaults;
  readonly eventLog: WorldEventLog;
  readonly proxies: readonly Slot<ProxyProcess>[];
  readonly ledgers: readonly Slot<Ledger>[];
  readonly apis: readonly Slot<Api>[];
  readonly subscribers: readonly Subscriber[];
  readonly foreign: ForeignRecords;
  readonly model: Model;
  readonly books: BooksChecker;
  readonly leaseChecker: LeaseChecker;
  readonly verdict: Verdict;
}

export interface WorldParts {
  readonly profile: Profile;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly trace: Trace;
  readonly counts: Counts;
  readonly verdict: Verdict;
  readonly tampering: Tampering;
}

export function createWorld(parts: WorldParts): World {
  const { profile, scheduler, dice, trace, counts, verdict, tampering } = parts;
  const network = createNetwork({ scheduler, dice: dice.fork('network'), counts });
  const databaseFaults = createDatabaseFaults(dice.fork('database'), counts);
  const server = createServer(scheduler, databaseFaults);
  const model = createModel(verdict);
  const acknowledged: LogRecord[] = [];
  const witness = createLogWitness(model, verdict, (records) => acknowledged.push(...records));
  const eventLog = createWorldEventLog({ scheduler, dice: dice.fork('event log'), network, counts, trace, profile });
  const tenants = createTenants(dice.fork('tenants'));
  const books = createBooksChecker({
    books: server.books,
    topic: REQUESTS_TOPIC,
    witness,
    verdict,
    eventIdOf: (uuid) => idFromUuid('request', uuid),
    onBooked: (eventId) => trace.add(`booked ${eventId}`),
  });
  const leaseChecker = createLeaseChecker(server.books.leases, model, verdict);
  const organizations = [...new Set(tenants.map(({ organizationUuid }) => organizationUuid))];
  const budgets = profile.budgets ? createSimulatedBudgets(dice.fork('budgets'), server.books.leases, organizations) : null;
  const slotParts = { scheduler, dice: dice.fork('slots'), counts, trace };

  function machineOf(name: string, spool: SpoolWitness | null): Machine {
    const observer = spool === null ? {} : { observer: spool.observer };
    return createMachine({ name, scheduler, dice: dice.fork(`machine ${name}`), counts, syncMs: profile.syncMs, ...observer });
  }

  function storesOf(life: Life): SimulatedStores {
    const wire = <Result>(statement: string, act: () => Promise<Result>): Promise<Result> => life.call(`database.${statement}`, act);
    const stores = connectSimulatedStores({ server, client: life.name, timers: life.timers, wire });
    life.whenDead(stores.abandon);
    const witnessed = { ...stores, ledgerStore: witnessStore(stores.ledgerStore, life.name, books.onAdvance) };
    return tampering.stores?.(witnessed, { life, server }) ?? witnessed;
  }

  function proxyAt(number: number): Slot<ProxyProcess> {
    const spool = createSpoolWitness(SPOOL_DIRECTORY);
    const machine = machineOf(`proxy-${number}`, spool);
    return createSlot<ProxyProcess>({
      ...slotParts,
      name: machine.name,
      machine,
      start: (life) =>
        startProxy({
          life,
          machine,
          producer: witness.producer(tamperedProducer(life, machine), spool),
          disk: tampering.disk?.(createLivingDisk(machine.disk, life)) ?? createLivingDisk(machine.disk, life),
          durability: profile.durability,
          spoolBounds: profile.spool,
          witness: spool,
          model,
          verdict,
          tenants,
          budgets:
            budgets === null
              ? null
              : {
                  plan: budgets,
                  checker: leaseChecker,
                  soleMachine: !profile.replacements,
                  database: storesOf(life).leaseDatabase,
                  counterName: (uuid) => server.books.counterNames.get(uuid) ?? uuid,
                },
          dice: dice.fork(life.name),
          counts,
          log: createRunLog(trace, () => life.name),
        }),
      stop: (proxy) => proxy.stop(),
      onDeath: (how) => {
        const survivors = surviving(machine.disk.contents(SPOOL_DIRECTORY));
        if (how === 'power cut') spool.powerCutLeft(survivors.closed);
        model.death({ machine: machine.name, how, durability: profile.durability, survivors, witness: spool });
      },
    });
  }

  function tamperedProducer(life: Life, machine: Machine): EventLogProducer {
    const producer = eventLog.producer(life, machine);
    return tampering.producer?.(producer, life) ?? producer;
  }

  function ledgerAt(number: number): Slot<Ledger> {
    const machine = machineOf(`ledger-${number}`, null);
    return createSlot<Ledger>({
      ...slotParts,
      name: machine.name,
      machine,
      start: async (life) => {
        const log = createRunLog(trace, () => life.name);
        const { ledgerStore, sequencerStore } = storesOf(life);
        const opened = await eventLog.open(life, machine, log);
        const consumer = tampering.consumer?.(witness.consumer(opened.consumer)) ?? witness.consumer(opened.consumer);
        return startLedger({
          life,
          eventLog: { ...opened, consumer },
          store: ledgerStore,
          sequencerStore,
          log,
        });
      },
      stop: (ledger) => ledger.stop(),
    });
  }

  function apiAt(number: number): Slot<Api> {
    const machine = machineOf(`api-${number}`, null);
    return createSlot<Api>({
      ...slotParts,
      name: machine.name,
      machine,
      start: (life) => startApi({ life, feed: storesOf(life).journalFeed, log: createRunLog(trace, () => life.name) }),
      stop: async () => {},
    });
  }

  const proxies = numbered(profile.proxies, proxyAt);
  const ledgers = numbered(profile.ledgers, ledgerAt);
  const apis = numbered(profile.apis, apiAt);
  const subscriberDice = dice.fork('subscribers');
  const subscribers = organizations.map((organizationUuid, place) =>
    startSubscriber({
      name: `subscriber-${place + 1}`,
      organizationUuid,
      scheduler,
      dice: subscriberDice,
      network,
      counts,
      checker: createSubscriptionChecker({
        name: `subscriber-${place + 1}`,
        verdict,
        itemAt: (position) => server.books.journals.get(organizationUuid)?.[Number(position)]?.id,
        mayGap: (reason) => reason === 'EPOCH_CHANGED' && server.epoch !== 'simulated/1',
      }),
      node: () => {
        const up = apis.flatMap(({ life, running }) => (life === null || running === null || life.frozen ? [] : [{ life, api: running }]));
        return up.length === 0 ? null : subscriberDice.pick(up);
      },
    }),
  );
  return {
    profile,
    scheduler,
    dice,
    counts,
    network,
    server,
    databaseFaults,
    eventLog,
    proxies,
    ledgers,
    apis,
    subscribers,
    foreign: foreignIn(parts, eventLog, acknowledged),
    model,
    books,
    leaseChecker,
    verdict,
  };
}

function createServer(scheduler: Scheduler, faults: DatabaseFaults): SimulatedPostgres {
  const server = createSimulatedPostgres({
    clock: { now: () => Math.floor(EPOCH_MS + scheduler.now()), monotonic: scheduler.now },
    timers: {
      endOfTurn: (run) => void scheduler.afterInOrder(0, 'database turn', run),
      after: (delayMs, run) => scheduler.after(delayMs, 'database', run),
    },
    faults: faults.decide,
  });
  for (const { version, sheet } of SHEETS) server.books.priceSheets.set(version, sheet);
  return server;
}

function foreignIn({ scheduler, dice, counts }: WorldParts, eventLog: WorldEventLog, acknowledged: readonly LogRecord[]): ForeignRecords {
  const machine = createMachine({ name: 'foreign', scheduler, dice: dice.fork('foreign machine'), counts, syncMs: 1 });
  const life = startLife({
    name: 'foreign',
    scheduler,
    dice: dice.fork('foreign life'),
    machineClock: machine.clock,
    onSeam: () => {},
    onDeath: () => {},
  });
  return createForeignRecords({ producer: eventLog.producer(life, machine), acknowledged, dice: dice.fork('foreign'), counts });
}

function numbered<Item>(count: number, make: (number: number) => Item): readonly Item[] {
  return Array.from({ length: count }, (_, place) => make(place + 1));
}
