import type { Message, RecordMetadata } from 'kafkajs';
import type { KafkaAdmin, KafkaClient, KafkaProducer } from '../../../services/eventlog/kafka/kafka-client.ts';
import type { Counts } from '../faults/counts.ts';
import { ConnectionFailed } from '../faults/network.ts';
import type { KafkaCluster, Produced } from './kafka-cluster.ts';
import { brokerError } from './kafka-cluster.ts';
import { createSimulatedConsumer } from './kafka-consumer.ts';
import type { SimulatedKafkaOptions } from './simulated-kafka-options.ts';

/** kafkajs as far as the product uses it, over the simulated network and cluster, in one process. */
export function createSimulatedKafkaClient(options: SimulatedKafkaOptions): KafkaClient {
  return {
    producer: () => createProducer(options),
    consumer: () => createSimulatedConsumer(options),
    admin: () => createAdmin(options),
  };
}

function createProducer({ cluster, network, counts, life, machine }: SimulatedKafkaOptions): KafkaProducer {
  return {
    connect: () => life.call('kafka.connect', () => network.exchange(machine, `${life.name} kafka.connect`, () => requireBroker(cluster))),
    disconnect: () => life.call('kafka.disconnect', async () => {}),
    sendBatch: ({ topicMessages = [] }) => {
      const records = topicMessages.flatMap(({ messages }) => messages.map(producedOf));
      return life.call('kafka.send', async () => {
        const byLeader = Map.groupBy(records, ({ partition }) => cluster.leaderOf(partition));
        // What has no leader is passed over without a word, as kafkajs does.
        byLeader.delete(null);
        const answers = await Promise.all(
          [...byLeader].map(([leader, own]) =>
            network.exchange(machine, `${life.name} kafka.send`, () => appendAll(cluster, counts, leader ?? -1, own)),
          ),
        );
        return answers.flat();
      });
    },
  };
}

/** Partition by partition: one that the broker does not lead fails, the others are in the log all the same. */
function appendAll(cluster: KafkaCluster, counts: Counts, broker: number, records: readonly Produced[]): RecordMetadata[] {
  const taken: RecordMetadata[] = [];
  let failure: unknown = null;
  for (const [partition, own] of Map.groupBy(records, (record) => record.partition)) {
    try {
      cluster.append(broker, partition, own);
      counts.add('broker: appends');
      taken.push({ topicName: cluster.topic.name, partition, errorCode: 0 });
    } catch (error) {
      failure = error;
      counts.add('broker: append refused, no leader there');
    }
  }
  if (failure !== null) throw failure;
  return taken;
}

function createAdmin({ cluster, network, life, machine }: SimulatedKafkaOptions): KafkaAdmin {
  const unsupported = (): never => {
    throw new Error('The simulation has its topic already');
  };
  return {
    connect: () => life.call('kafka.adminConnect', () => network.exchange(machine, `${life.name} admin`, () => requireBroker(cluster))),
    disconnect: () => life.call('kafka.adminDisconnect', async () => {}),
    fetchTopicOffsets: () =>
      life.call('kafka.offsets', () =>
        network.exchange(machine, `${life.name} offsets`, () =>
          Array.from({ length: cluster.topic.partitions }, (_, partition) => {
            if (cluster.leaderOf(partition) === null) throw brokerError('LEADER_NOT_AVAILABLE');
            const high = cluster.next(partition).toString();
            return { partition, offset: high, high, low: '0' };
          }),
        ),
      ),
    listTopics: unsupported,
    createTopics: unsupported,
    fetchTopicMetadata: unsupported,
    describeConfigs: unsupported,
  };
}

function requireBroker(cluster: KafkaCluster): void {
  for (let broker = 0; broker < cluster.brokers; broker++) if (cluster.isUp(broker)) return;
  throw new ConnectionFailed('no broker answers');
}

function producedOf({ key, partition, headers, value }: Message): Produced {
  return {
    key: String(key),
    partition: partition ?? -1,
    headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, content]) => [name, String(content)])),
    value: Buffer.from(value ?? ''),
  };
}
