import { expect, test } from 'vitest';
import { startProduct } from '../harness/product.ts';
import { proveMainJob } from './main-job.ts';

/** TURNPIKE_TEST_REQUESTS makes it shorter while something is being mended. */
const requests = Number(process.env.TURNPIKE_TEST_REQUESTS ?? 5_000);

test('the ledger equals the books of the provider to the token and the pico-dollar, though proxy and ledger are killed under load', async () => {
  await using product = await startProduct();
  const { endpoints } = product;
  const database = await product.database();
  const kill = (child: 'proxy' | 'ledger') => product.kill(child, 'SIGKILL');
  const proving = { endpoints, proxyUrls: [endpoints.proxyUrl], database, kill, patienceMs: 60_000 };
  await product.whileServing(proveMainJob(proving, requests, 32));
  expect(await product.stop()).toBe(0);
});
