import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createKafkaClient } from '../../../../services/eventlog/kafka/kafka-client.ts';
import type { KafkaConnection } from '../../../../services/runtime/kafka-environment.ts';
import { recordingLog } from '../../../harness/recording-log.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';

const clientOf = (connection: Partial<KafkaConnection>) =>
  createKafkaClient({
    connection: { brokers: ['127.0.0.1:1'], tls: null, login: null, ...connection },
    clientId: 'turnpike-test',
    log: recordingLog(),
  });

test('an authority that cannot be read is a reason not to start', async () => {
  const caPath = join(await temporaryFolder(), 'gone.pem');
  await expect(clientOf({ tls: { caPath } })).rejects.toMatchObject({
    name: 'StartRefusal',
    message: `KAFKA_SSL_CA: expected a readable PEM file, found ${caPath} (ENOENT)`,
  });
});

test('the mechanism of AWS is there when it is asked for', async () => {
  const client = await clientOf({ tls: { caPath: null }, login: { mechanism: 'aws', region: 'eu-central-1' } });
  await client.admin({}).disconnect();
});

test('all of it loads in Node itself, which sees fewer names in a CommonJS package than the tests do', async () => {
  const files = ['consumer.ts', 'producer.ts', 'topic.ts'].map(
    (file) => new URL(`../../../../services/eventlog/kafka/${file}`, import.meta.url).href,
  );
  const script = `await Promise.all(${JSON.stringify(files)}.map((file) => import(file))); console.log('loaded')`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout).toBe('loaded\n');
});
