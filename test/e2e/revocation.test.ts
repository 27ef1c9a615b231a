import { randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { median } from '../harness/median.ts';
import type { Product } from '../harness/product.ts';
import { startProduct } from '../harness/product.ts';

const Created = Type.Object({
  apiKeyCreate: Type.Object({ secret: Type.String(), apiKey: Type.Object({ id: Type.String() }), errors: Type.Array(Type.Unknown()) }),
});
const Revoked = Type.Object({ apiKeyRevoke: Type.Object({ errors: Type.Array(Type.Unknown()) }) });

test('a key made through GraphQL works within a second, and once revoked it is refused within a second, for good', async () => {
  await using product = await startProduct();
  const lives: KeyLife[] = [];
  for (let key = 0; key < 3; key++) lives.push(await liveAndDie(product));
  expect(median(lives.map(({ worksAfterMs }) => worksAfterMs))).toBeLessThan(1_000);
  expect(median(lives.map(({ refusedAfterMs }) => refusedAfterMs))).toBeLessThan(1_000);
  for (let again = 0; again < 20; again++) {
    for (const { secret } of lives) expect(await ask(product, secret)).toEqual({ status: 401, code: 'key_revoked' });
  }
  // The others go on.
  expect((await ask(product, product.endpoints.demoKey)).status).toBe(200);
});

type KeyLife = { readonly secret: string; readonly worksAfterMs: number; readonly refusedAfterMs: number };

/** Makes a key, waits until it works, revokes it and waits until it does not. */
async function liveAndDie(product: Product): Promise<KeyLife> {
  const { apiKeyCreate } = await product.graphql(
    Created,
    'mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { secret apiKey { id } errors { message } } }',
    { input: { idempotencyKey: randomUUID(), name: 'short-lived', allowedModels: ['sim/*'] } },
  );
  const madeAtMs = performance.now();
  expect(apiKeyCreate.errors).toEqual([]);
  const { secret, apiKey } = apiKeyCreate;
  await eventually(async () => (await ask(product, secret)).status === 200);
  const worksAfterMs = performance.now() - madeAtMs;

  const { apiKeyRevoke } = await product.graphql(
    Revoked,
    'mutation ($input: ApiKeyRevokeInput!) { apiKeyRevoke(input: $input) { errors { message } } }',
    { input: { idempotencyKey: randomUUID(), id: apiKey.id, reason: 'it was only for this test' } },
  );
  const revokedAtMs = performance.now();
  expect(apiKeyRevoke.errors).toEqual([]);
  await eventually(async () => (await ask(product, secret)).status === 401);
  return { secret, worksAfterMs, refusedAfterMs: performance.now() - revokedAtMs };
}

const Refusal = Type.Object({ error: Type.Object({ code: Type.String() }) });

async function ask({ endpoints }: Product, key: string): Promise<{ readonly status: number; readonly code: string | null }> {
  const response = await fetch(`${endpoints.proxyUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'sim/echo', messages: [{ role: 'user', content: 'may I?' }] }),
    signal: AbortSignal.timeout(20_000),
  });
  const body: unknown = await response.json();
  return { status: response.status, code: Value.Check(Refusal, body) ? body.error.code : null };
}
