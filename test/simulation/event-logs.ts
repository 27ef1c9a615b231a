import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import { createEmbeddedProducer } from '../../services/eventlog/embedded/producer.ts';
import type { EventLogProducer } from '../../services/eventlog/event-log.ts';
import { createKafkaConsumer } from '../../services/eventlog/kafka/consumer.ts';
import { createKafkaProducer } from '../../services/eventlog/kafka/producer.ts';
import type { Log } from '../../services/runtime/log.ts';
import type { ServedLog } from './broker/embedded-log.ts';
import { serveEmbeddedLog } from './broker/embedded-log.ts';
import { createSimulatedKafkaClient } from './broker/kafka-client.ts';
import type { KafkaCluster } from './broker/kafka-cluster.ts';
import { createKafkaCluster } from './broker/kafka-cluster.ts';
import type { KafkaGroup } from './broker/kafka-group.ts';
import { createKafkaGroup } from './broker/kafka-group.ts';
import { createLink } from './broker/link.ts';
import type { Dice } from './dice.ts';
import type { Counts } from './faults/counts.ts';
import type { Network } from './faults/network.ts';
import type { Life } from './life.ts';
import type { Machine } from './machine.ts';
import type { LedgerLog } from './processes/ledger.ts';
import type { Profile } from './profile.ts';
import type { Scheduler } from './scheduler.ts';
import type { Trace } from './trace.ts';

/** The event log of a world: one of the product's adapters over what the world has in its place. */
export interface WorldEventLog {
  producer(life: Life, machine: Machine): EventLogProducer;
  /** @throws what the product throws when it cannot be opened. */
  open(life: Life, machine: Machine, log: Log): Promise<LedgerLog>;
  /** Offset after the newest record of a partition; null while nobody can say. */
  end(partition: number): bigint | null;
  /** Null where it is not Kafka. */
  readonly kafka: { readonly cluster: KafkaCluster; readonly group: KafkaGroup } | null;
}

export interface EventLogParts {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly network: Network;
  readonly counts: Counts;
  readonly trace: Trace;
  readonly profile: Profile;
}

const SESSION_TIMEOUT_MS = 10_000;

export function createWorldEventLog(parts: EventLogParts): WorldEventLog {
  return parts.profile.eventLog === 'kafka' ? overKafka(parts) : embedded(parts);
}

function overKafka({ scheduler, dice, network, counts, trace }: EventLogParts): WorldEventLog {
  const topic = REQUESTS_TOPIC;
  const cluster = createKafkaCluster({ topic, dice, counts, trace, holes: 0.02 });
  const group = createKafkaGroup({ scheduler, dice, trace, partitions: topic.partitions, sessionTimeoutMs: SESSION_TIMEOUT_MS });
  const clientOf = (life: Life, machine: Machine) =>
    createSimulatedKafkaClient({ cluster, group, network, counts, life, machine: machine.name });
  return {
    kafka: { cluster, group },
    producer: (life, machine) => createKafkaProducer({ client: clientOf(life, machine), timers: life.timers }),
    open: async (life, machine) => {
      const { timers, random } = life;
      const consumer = createKafkaConsumer({ client: clientOf(life, machine), timers, random, sessionTimeoutMs: SESSION_TIMEOUT_MS });
      return { consumer, release: () => {}, close: () => consumer.close() };
    },
    end: cluster.recordsEnd,
  };
}

function embedded({ scheduler, dice, network, counts, profile }: EventLogParts): WorldEventLog {
  let served: { readonly life: Life; readonly log: ServedLog } | null = null;
  return {
    kafka: null,
    producer: (life, machine) =>
      createEmbeddedProducer({
        socketPath: '/socket',
        topics: [REQUESTS_TOPIC],
        timers: life.timers,
        connect: () => {
          life.pass('connect');
          const to = served;
          // Nobody listens: a connection to a process that is dead, which is refused as such.
          const server = to?.life ?? life;
          const ends = createLink({ scheduler, dice, network, counts, client: life, clientMachine: machine.name, server });
          if (to === null) ends.client.destroy(new Error('connect ECONNREFUSED'));
          else scheduler.after(network.latencyMs(), `${server.name} accepts`, () => server.run('accept', () => to.log.accept(ends.server)));
          return ends.client;
        },
      }),
    open: async (life, machine, log) => {
      const opened = await serveEmbeddedLog({ life, machine, log, ...profile.journal });
      served = { life, log: opened };
      life.whenDead(() => {
        if (served?.life === life) served = null;
      });
      return {
        consumer: opened.consumer,
        release: opened.release,
        close: async () => {
          if (served?.life === life) served = null;
          await opened.close();
        },
      };
    },
    end: (partition) => served?.log.next(partition) ?? null,
  };
}
