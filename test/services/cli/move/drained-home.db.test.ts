import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogRecord } from '../../../../schema/events/log-record.ts';
import { REQUESTS_TOPIC } from '../../../../schema/events/topics.ts';
import { refuseOtherMasterKey, refuseUndrained } from '../../../../services/cli/move/drained-home.ts';
import { writeEndpoints } from '../../../../services/cli/start/endpoints.ts';
import { embeddedPlaces } from '../../../../services/eventlog/embedded/places.ts';
import { createEmbeddedProducer } from '../../../../services/eventlog/embedded/producer.ts';
import { EventLogError } from '../../../../services/eventlog/event-log.ts';
import { openEventLogConsumer } from '../../../../services/eventlog/open-event-log.ts';
import { openSpool } from '../../../../services/eventlog/spool/open-spool.ts';
import { bootstrap } from '../../../../services/registry/bootstrap.ts';
import { systemClock } from '../../../../services/runtime/clock.ts';
import { systemRandom } from '../../../../services/runtime/random.ts';
import { deriveSecrets } from '../../../../services/runtime/secrets.ts';
import { createTestDatabase } from '../../../harness/postgres.ts';
import { recordingLog } from '../../../harness/recording-log.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';

const world = { clock: systemClock, random: systemRandom, log: recordingLog() };
const event: LogRecord = { key: 'key_a', partition: 3, headers: { ce_id: 'req_a' }, value: Buffer.from('{}') };

test('a home that never served has nothing left to do', async () => {
  await using database = await createTestDatabase();
  await refuseUndrained({ home: await temporaryFolder(), db: database.owner.db, ...world });
});

test('a home is refused while its spool owes something, telling how much and what to do', async () => {
  await using database = await createTestDatabase();
  const home = await temporaryFolder();
  const producer = { append: () => Promise.reject(new Error('away')), close: async () => {} };
  const spool = await openSpool({
    directory: join(home, 'proxy', 'spool'),
    durability: 'strict',
    sender: { producer, topic: REQUESTS_TOPIC },
    log: world.log,
  });
  await new Promise<void>((resolve) => spool.open('req_b', '{}', resolve));
  await new Promise<void>((resolve) => spool.append('req_a', event, resolve));
  await spool.stop(10);
  const refusal = await refuseUndrained({ home, db: database.owner.db, ...world }).catch((error: unknown) => String(error));
  expect(refusal).toContain("1 settled request(s) in the proxy's spool, 1 unsettled request(s) in the proxy's spool");
  expect(refusal).toContain(`TURNPIKE_HOME=${home} npm start`);
});

test('a home is refused while events that its log refused lie in its spool, until they are kept elsewhere', async () => {
  await using database = await createTestDatabase();
  const home = await temporaryFolder();
  const folder = join(home, 'proxy', 'spool');
  const refusing = new EventLogError('the record is too large', { retryable: false });
  const spool = await openSpool({
    directory: folder,
    durability: 'strict',
    sender: { producer: { append: () => Promise.reject(refusing), close: async () => {} }, topic: REQUESTS_TOPIC },
    ...world,
  });
  for (const id of ['req_a', 'req_b']) await new Promise<void>((resolve) => spool.append(id, event, resolve));
  await spool.stop(5_000);
  const check = () => refuseUndrained({ home, db: database.owner.db, ...world });
  await expect(check()).rejects.toThrow(`${folder} holds 2 event(s) that the event log refused for good`);
  const elsewhere = join(home, 'kept');
  await mkdir(elsewhere);
  for (const name of await readdir(folder)) if (name.startsWith('rejected-')) await rename(join(folder, name), join(elsewhere, name));
  await check();
});

test('a home is refused while its log holds what the ledger has not posted', async () => {
  await using database = await createTestDatabase();
  const home = await temporaryFolder();
  const environment = { home, databaseUrl: null, kafka: null, embeddedLog: true };
  const eventLog = await openEventLogConsumer({ environment, clientId: 'test', topic: REQUESTS_TOPIC, onRefused: () => {}, ...world });
  const producer = createEmbeddedProducer({ socketPath: embeddedPlaces(home).socketPath, topics: [REQUESTS_TOPIC] });
  await producer.append(REQUESTS_TOPIC, [event]);
  await producer.close();
  await eventLog.close(1_000);
  const check = () => refuseUndrained({ home, db: database.owner.db, ...world });
  await expect(check()).rejects.toThrow('1 event(s) in the event log that the ledger has not posted');
  await database.owner.db
    .insertInto('log_offsets')
    .values({ topic: REQUESTS_TOPIC.name, partition: 3, next_offset: 1n, owner: 'test', epoch: 1n, updated_at: new Date() })
    .execute();
  await check();
});

test('a master key is the right one when it recognizes the key of endpoints.json, or is the one that the home keeps', async () => {
  await using database = await createTestDatabase();
  const home = await temporaryFolder();
  const [own, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const { adminKey } = await bootstrap(database.writer.db, {
    secrets: deriveSecrets(own),
    clock: systemClock,
    random: systemRandom,
    organization: { slug: 'acme', name: 'Acme' },
    desired: [],
    demoKey: false,
  });
  const urls = { proxyUrl: '', graphqlUrl: '', graphqlWsUrl: '', consoleUrl: '', simUrl: '' };
  await writeEndpoints(home, { ...urls, adminKey, demoKey: '' });
  const check = (key: Buffer) => refuseOtherMasterKey({ home, db: database.owner.db, ...world }, key);
  await check(own);
  await expect(check(other)).rejects.toThrow('Take the one that it was started with');
  await writeFile(join(home, 'master.key'), `${own.toString('base64')}\n`);
  await expect(check(other)).rejects.toThrow('export TURNPIKE_MASTER_KEY=$(cat ');
  await rm(join(home, 'endpoints.json'));
  await check(own);
  await expect(check(other)).rejects.toThrow('export TURNPIKE_MASTER_KEY=$(cat ');
});
