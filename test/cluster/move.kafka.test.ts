import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import type { DatabaseConnection } from '../../services/runtime/postgres.ts';
import { createDatabase } from '../../services/runtime/postgres.ts';
import { isSequenced, readJournalShape, readLedger, readRollupSums } from '../e2e/ledger-rows.ts';
import { activeCalls, readProviderBooks } from '../e2e/provider-books.ts';
import { createTraffic } from '../e2e/traffic.ts';
import { runVerb, startVerb } from '../harness/cluster-process.ts';
import { eventually } from '../harness/eventually.ts';
import { ownBroker, ownBrokersAreThere } from '../harness/kafka.ts';
import { createEmptyDatabase } from '../harness/postgres.ts';
import { startProduct } from '../harness/product.ts';
import { createTemporaryHome } from '../harness/temporary-home.ts';

const requests = 60;

async function booksOf(database: DatabaseConnection) {
  return {
    ledger: (await readLedger(database)).sort((left, right) => (left.entry_id < right.entry_id ? -1 : 1)),
    rollups: await readRollupSums(database),
    positions: await database.db.selectFrom('journal_positions').selectAll().orderBy('organization_id').orderBy('position').execute(),
  };
}

describe.skipIf(!ownBrokersAreThere)('turnpike move', () => {
  test('carries an embedded home into given servers, where its keys work and its journal goes on', { timeout: 600_000 }, async () => {
    const temporary = await createTemporaryHome();
    const broker = await ownBroker();
    const server = await createEmptyDatabase();
    const target = createDatabase({ url: server.url, role: 'login', applicationName: 'turnpike-test', poolSize: 2 });
    try {
      const home = temporary.path;
      const product = await startProduct({ home });
      const { endpoints } = product;
      const traffic = createTraffic(endpoints);
      for (let index = 0; index < requests; index++) await traffic.send(index);
      const source = await product.database();
      await eventually(async () => (await activeCalls(endpoints.simUrl)) === 0, 30_000);
      const calls = await readProviderBooks(endpoints.simUrl);
      await eventually(async () => {
        const booked = new Set((await readLedger(source)).map(({ requestId }) => requestId));
        return calls.every(({ requestId }) => booked.has(requestId ?? '')) && (await isSequenced(source));
      }, 30_000);
      const before = await booksOf(source);
      expect(await product.stop()).toBe(0);

      const variables = { DATABASE_URL: server.url, KAFKA_BROKERS: broker.address, KAFKA_TOPIC_REPLICATION: '1' };
      const TURNPIKE_MASTER_KEY = (await readFile(join(home, 'master.key'), 'utf8')).trim();
      const given = { ...variables, TURNPIKE_MASTER_KEY };
      const move = ['move', '--from', home];
      await runVerb('turnpike', ['migrate'], variables);

      const other = { ...variables, TURNPIKE_MASTER_KEY: Buffer.alloc(32, 1).toString('base64') };
      expect(await runVerb('turnpike', move, other, 78)).toContain(`export TURNPIKE_MASTER_KEY=$(cat ${join(home, 'master.key')})`);
      const rehearsal = await runVerb('turnpike', [...move, '--dry-run'], given);
      expect(rehearsal).toContain(`A dry run: nothing was kept. The Kafka topic ${REQUESTS_TOPIC.name} is not there yet and will be made.`);
      expect(await readLedger(target)).toEqual([]);
      expect(await runVerb('turnpike', move, given)).toMatch(new RegExp(`the ledger: ${before.ledger.length} entries, [\\d.]+ USD`));
      expect(await booksOf(target)).toEqual(before);
      expect(await runVerb('turnpike', move, given, 78)).toContain('is not empty');

      const simulator = await startVerb('start:simulator', { ...given, TURNPIKE_SIM_PORT: new URL(endpoints.simUrl).port });
      const proxy = await startVerb('start:proxy', { ...given, TURNPIKE_HOME: join(home, 'proxy-of-cluster'), TURNPIKE_PROXY_PORT: '0' });
      const ledger = await startVerb('start:ledger', { ...given, TURNPIKE_HOME: join(home, 'ledger-of-cluster') });
      try {
        const answer = await createTraffic({ ...endpoints, proxyUrl: `${proxy.url}/v1` }).send(0);
        expect(answer.kind).toBe('answered');
        const after = await eventually(async () => {
          const rows = await readLedger(target);
          return rows.some(({ requestId }) => requestId === answer.requestId) && (await isSequenced(target)) ? rows : null;
        }, 60_000);
        expect(after).toHaveLength(before.ledger.length + 1);
        for (const { positions, ...journal } of await readJournalShape(target)) {
          expect(journal).toEqual({ first: 0n, last: positions - 1n, items: positions });
        }
      } finally {
        await Promise.all([proxy.stop(), ledger.stop(), simulator.stop()]);
      }
    } finally {
      await target.close();
      await server.drop();
      await broker.end();
      await temporary.remove();
    }
  });
});
