import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { REQUESTS_TOPIC } from '../../../../schema/events/topics.ts';
import { assureTopic } from '../../../../services/eventlog/kafka/assure-topic.ts';
import type { Timers } from '../../../../services/eventlog/timers.ts';
import { systemTimers } from '../../../../services/eventlog/timers.ts';
import { systemRandom } from '../../../../services/runtime/random.ts';
import { kafkaClient, singleBroker } from '../../../harness/kafka.ts';
import { recordingLog } from '../../../harness/recording-log.ts';

test('brokers that take connections and never answer hold up no start for longer than ten seconds', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket));
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const waits: number[] = [];
  // Each wait is over as soon as a broker was asked.
  const timers: Timers = {
    ...systemTimers,
    after: (delayMs, run) => {
      waits.push(delayMs);
      silent.once('connection', run);
      return () => silent.removeListener('connection', run);
    },
  };
  const log = recordingLog();
  const end = await assureTopic({
    client: await kafkaClient([`127.0.0.1:${(silent.address() as AddressInfo).port}`]),
    topic: REQUESTS_TOPIC,
    settings: singleBroker,
    timers,
    random: systemRandom,
    log,
    onRefused: (refusal) => expect.unreachable(`refused: ${refusal}`),
  });
  end();
  expect(waits).toEqual([10_000]);
  expect(log.lines).toEqual([expect.stringContaining('starting without being sure of the topic')]);
  for (const socket of sockets) socket.destroy();
  silent.close();
});
