import { randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { proveMainJob } from '../e2e/main-job.ts';
import type { Cluster } from '../harness/cluster.ts';
import { startCluster } from '../harness/cluster.ts';
import { runVerb } from '../harness/cluster-process.ts';
import { eventually } from '../harness/eventually.ts';
import { ownBroker, ownBrokersAreThere } from '../harness/kafka.ts';
import type { KafkaBroker } from '../harness/kafka-broker.ts';
import { median } from '../harness/median.ts';
import { askGraphql } from '../harness/product.ts';

const requests = Number(process.env.TURNPIKE_TEST_REQUESTS ?? 600);

const Created = Type.Object({
  apiKeyCreate: Type.Object({ secret: Type.String(), apiKey: Type.Object({ id: Type.String() }), errors: Type.Array(Type.Unknown()) }),
});
const Revoked = Type.Object({ apiKeyRevoke: Type.Object({ errors: Type.Array(Type.Unknown()) }) });

describe.skipIf(!ownBrokersAreThere)('two proxies, two ledgers and an api, each alone on a given Kafka and PostgreSQL', () => {
  let broker: KafkaBroker;
  let cluster: Cluster;
  beforeAll(async () => {
    broker = await ownBroker();
    cluster = await startCluster(broker.address);
  });
  afterAll(async () => {
    await cluster?.remove();
    await broker?.end();
  });

  test('the ledger equals the books of the provider, though one proxy and one ledger are killed under load', {
    timeout: 600_000,
  }, async () => {
    const { endpoints, proxyUrls, database, killAndRestart: kill } = cluster;
    await proveMainJob({ endpoints, proxyUrls, database, kill, patienceMs: 120_000 }, requests, 16).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${cluster.output()}`, { cause: error });
    });
  });

  test('a key works on both proxies within a second, and is refused on both within a second of its revocation', async () => {
    const { endpoints, proxyUrls } = cluster;
    const [worksAfterMs, refusedAfterMs]: [number[], number[]] = [[], []];
    for (let key = 0; key < 3; key++) {
      const { apiKeyCreate } = await askGraphql({
        endpoints,
        schema: Created,
        query: 'mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { secret apiKey { id } errors { message } } }',
        variables: { input: { idempotencyKey: randomUUID(), name: 'short-lived', allowedModels: ['sim/*'] } },
      });
      expect(apiKeyCreate.errors).toEqual([]);
      const untilAll = async (status: number): Promise<number> => {
        const fromMs = performance.now();
        await eventually(async () => (await statuses(proxyUrls, apiKeyCreate.secret)).every((one) => one === status));
        return performance.now() - fromMs;
      };
      worksAfterMs.push(await untilAll(200));

      const { apiKeyRevoke } = await askGraphql({
        endpoints,
        schema: Revoked,
        query: 'mutation ($input: ApiKeyRevokeInput!) { apiKeyRevoke(input: $input) { errors { message } } }',
        variables: { input: { idempotencyKey: randomUUID(), id: apiKeyCreate.apiKey.id, reason: 'it was only for this test' } },
      });
      expect(apiKeyRevoke.errors).toEqual([]);
      refusedAfterMs.push(await untilAll(401));
    }
    expect(median(worksAfterMs)).toBeLessThan(1_000);
    expect(median(refusedAfterMs)).toBeLessThan(1_000);
  });

  test('what is set up cannot be bootstrapped again, and npm start says how to run processes alone', async () => {
    expect(await runVerb('turnpike', ['bootstrap'], cluster.variables, 78)).toContain('has its first organization, default');
    expect(await runVerb('start', [], cluster.variables, 78)).toContain('npm run start:ledger');
  });

  test('all end in order', async () => {
    expect(await cluster.stop()).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

function statuses(proxyUrls: readonly string[], key: string): Promise<readonly number[]> {
  return Promise.all(
    proxyUrls.map(async (proxyUrl) => {
      const response = await fetch(`${proxyUrl}/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body: JSON.stringify({ model: 'sim/echo', messages: [{ role: 'user', content: 'may I?' }] }),
        signal: AbortSignal.timeout(20_000),
      });
      await response.arrayBuffer();
      return response.status;
    }),
  );
}
