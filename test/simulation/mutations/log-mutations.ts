import type { LogRecord } from '../../../schema/events/log-record.ts';
import { mintId } from '../../../schema/values/ids.ts';
import type { Tampering } from './tampering.ts';

/** The disk says of every sync that it is done and does none: what is acknowledged is not durable. */
export const acknowledgedBeforeSync: Tampering = {
  disk: (disk) => ({
    ...disk,
    create: async (path) => {
      const file = await disk.create(path);
      return { ...file, sync: async () => {} };
    },
  }),
};

/** A batch that was not acknowledged goes out again as new events. */
export const resentUnderNewId: Tampering = {
  producer: (producer, life) => {
    let failed = new WeakSet<LogRecord>();
    return {
      append: async (topic, records) => {
        const again = records.map((record) => {
          const id = record.headers.ce_id ?? '';
          if (!failed.has(record)) return record;
          const fresh = mintId('request', life.clock.now(), life.random.bytes(10));
          const value = Buffer.from(record.value.toString().replaceAll(id, fresh));
          return { key: record.key, partition: record.partition, headers: { ...record.headers, ce_id: fresh }, value };
        });
        try {
          await producer.append(topic, again);
        } catch (error) {
          for (const record of records) failed.add(record);
          throw error;
        }
        failed = new WeakSet();
      },
      close: () => producer.close(),
    };
  },
};

/** A partition that is taken over goes on where the log ends, and not where the books do. */
export const seekFromLog: Tampering = {
  consumer: (consumer) => ({
    ...consumer,
    subscribe: (options) =>
      consumer.subscribe({
        ...options,
        onAssigned: async (partition) => {
          const from = await options.onAssigned(partition);
          return (await consumer.offsets(options.topic)).get(partition)?.next ?? from;
        },
      }),
  }),
};
