import { expect, test } from 'vitest';
import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import { openEventLogConsumer, openEventLogProducer } from '../../../services/eventlog/open-event-log.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { parseEnvironment } from '../../../services/runtime/environment.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { StartRefusal } from '../../../services/runtime/start-refusal.ts';
import type { Variables } from '../../../services/runtime/variables.ts';
import { recordingLog } from '../../harness/recording-log.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

const optionsFor = (variables: Variables, home: string) => ({
  environment: parseEnvironment({ ...variables, TURNPIKE_HOME: home }, '/'),
  clientId: 'turnpike-test',
  topic: REQUESTS_TOPIC,
  log: recordingLog(),
  clock: systemClock,
  random: systemRandom,
  onRefused: () => {},
});

test.each([
  [{ DATABASE_URL: 'postgresql://a@b/c' }, ': KAFKA_BROKERS not set'],
  [{ KAFKA_BROKERS: 'kafka:9092' }, ': DATABASE_URL not set'],
  [{}, ': DATABASE_URL and KAFKA_BROKERS not set'],
])('a process that is given half of the servers, or none, refuses to start and says what is missing: %o', async (variables, reason) => {
  const options = optionsFor(variables, await temporaryFolder());
  for (const open of [openEventLogProducer, openEventLogConsumer]) {
    const refusal = await open(options).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StartRefusal);
    expect(String(refusal)).toContain(reason);
  }
});

test('the embedded log is opened where npm start says so', async () => {
  const options = optionsFor({ DATABASE_URL: 'postgresql://a@b/c', TURNPIKE_EVENT_LOG: 'embedded' }, await temporaryFolder());
  const log = await openEventLogConsumer(options);
  expect([...(await log.consumer.offsets(REQUESTS_TOPIC)).keys()]).toHaveLength(REQUESTS_TOPIC.partitions);
  await log.close(1_000);
});
