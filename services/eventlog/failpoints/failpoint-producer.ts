import type { PassFailpoint } from '../../runtime/failpoints/failpoints.ts';
import type { EventLogProducer } from '../event-log.ts';

/** A producer that passes the failpoints around each append. */
export function createFailpointProducer(producer: EventLogProducer, pass: PassFailpoint): EventLogProducer {
  return {
    append: async (topic, records) => {
      pass('proxy.producer.append');
      await producer.append(topic, records);
      pass('proxy.producer.appended');
    },
    close: () => producer.close(),
  };
}
