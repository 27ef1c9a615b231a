import type { PassFailpoint } from '../../runtime/failpoints/failpoints.ts';
import type { EventLogConsumer } from '../event-log.ts';
import type { KafkaClient } from '../kafka/kafka-client.ts';

/** A consumer that passes the failpoints around each batch. */
export function createFailpointConsumer(consumer: EventLogConsumer, pass: PassFailpoint): EventLogConsumer {
  return {
    ...consumer,
    subscribe: (subscription) =>
      consumer.subscribe({
        ...subscription,
        onBatch: async (batch) => {
          pass('ledger.batch.fetched');
          await subscription.onBatch(batch);
          pass('ledger.batch.handled');
        },
      }),
  };
}

/** A client of Kafka whose consumers pass the failpoints around the hints that they commit. */
export function createFailpointKafka(client: KafkaClient, pass: PassFailpoint): KafkaClient {
  return {
    ...client,
    consumer: (config) => {
      const consumer = client.consumer(config);
      return {
        ...consumer,
        commitOffsets: async (offsets) => {
          pass('ledger.hint.commit');
          await consumer.commitOffsets(offsets);
          pass('ledger.hint.committed');
        },
      };
    },
  };
}
