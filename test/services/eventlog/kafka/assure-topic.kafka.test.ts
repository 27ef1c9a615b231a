import { expect, test } from 'vitest';
import { REQUESTS_TOPIC } from '../../../../schema/events/topics.ts';
import { assureTopic } from '../../../../services/eventlog/kafka/assure-topic.ts';
import { systemTimers } from '../../../../services/eventlog/timers.ts';
import { systemRandom } from '../../../../services/runtime/random.ts';
import { eventually } from '../../../harness/eventually.ts';
import { freePort } from '../../../harness/free-port.ts';
import { kafkaClient, ownBroker, ownBrokersAreThere, singleBroker } from '../../../harness/kafka.ts';
import { recordingLog } from '../../../harness/recording-log.ts';

test.skipIf(!ownBrokersAreThere)(
  'a process starts within seconds without its brokers, and makes the topic once they are there',
  async () => {
    const port = await freePort();
    const client = await kafkaClient([`127.0.0.1:${port}`]);
    const topic = { ...REQUESTS_TOPIC, name: 'turnpike.test.late' };
    const refusals: unknown[] = [];
    const startedAt = performance.now();
    const end = await assureTopic({
      client,
      topic,
      settings: singleBroker,
      timers: systemTimers,
      random: systemRandom,
      log: recordingLog(),
      onRefused: (error) => refusals.push(error),
    });
    const waitedMs = performance.now() - startedAt;
    console.log(`without brokers the start took ${Math.round(waitedMs)} ms`);
    expect(waitedMs).toBeLessThan(15_000);
    const broker = await ownBroker({ port });
    try {
      const admin = client.admin({});
      await eventually(async () => {
        await admin.connect();
        return (await admin.listTopics()).includes(topic.name);
      }, 30_000);
      await admin.disconnect();
      expect(refusals).toEqual([]);
    } finally {
      end();
      await broker.end();
    }
  },
);
