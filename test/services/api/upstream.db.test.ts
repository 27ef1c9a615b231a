import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyCredential } from '../../../services/api/upstream/verify-credential.ts';
import type { TestAdministrator } from '../../harness/graphql-administrator.ts';
import { startAdministrator } from '../../harness/graphql-administrator.ts';

let admin: TestAdministrator;
beforeAll(async () => {
  admin = await startAdministrator();
});
afterAll(() => admin[Symbol.asyncDispose]());

/** A provider that lets in who sends `secret`, and remembers what it was asked. */
async function startProvider(secret: string) {
  const asked: { method: string | undefined; url: string | undefined; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ method: request.method, url: request.url, authorization: request.headers.authorization });
    if (request.url?.startsWith('/moved')) response.writeHead(302, { location: '/v1/models' }).end();
    else if (request.url?.startsWith('/broken')) request.socket.destroy();
    else if (request.url?.startsWith('/silent')) return;
    else if (request.url?.startsWith('/endless')) response.writeHead(200).write('['.repeat(1_000));
    else
      response
        .writeHead(request.headers.authorization === `Bearer ${secret}` ? 200 : 401)
        .end(`{"echo":"${request.headers.authorization}"}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const plain = { protocol: 'openai', options: {} } as const;

test('a provider of its own is made, changed by version and taken out of use', async () => {
  const { id, name } = await admin.makeProvider();
  const settings =
    '{ connectTimeout firstByteTimeout idleTimeout maxConnections onClientGone outputLimitField apiVersion servesResponses }';
  type Entity = {
    provider: { version: number; protocol: string; baseUrl: string; isShared: boolean; settings: Record<string, unknown> } | null;
  };
  const selection = `provider { version protocol baseUrl isShared settings ${settings} }`;
  const updated = await admin.change<Entity>(
    'providerUpdate',
    {
      id,
      expectedVersion: 1,
      baseUrl: 'https://other.invalid/v1',
      settings: { connectTimeout: 'PT2S', onClientGone: 'ABORT', outputLimitField: 'MAX_TOKENS', servesResponses: true },
    },
    selection,
  );
  expect(updated.provider).toMatchObject({ version: 2, baseUrl: 'https://other.invalid/v1', isShared: false });
  const again = await admin.change<Entity>(
    'providerUpdate',
    { id, expectedVersion: 2, settings: { connectTimeout: null, maxConnections: 5 } },
    selection,
  );
  expect(again.provider?.settings).toEqual({
    connectTimeout: null,
    firstByteTimeout: null,
    idleTimeout: null,
    maxConnections: 5,
    onClientGone: 'ABORT',
    outputLimitField: 'MAX_TOKENS',
    apiVersion: null,
    servesResponses: true,
  });
  const azure = await admin.change<Entity>(
    'providerUpdate',
    { id, expectedVersion: 3, protocol: 'AZURE_OPENAI', settings: { apiVersion: '2024-10-21', servesResponses: null } },
    selection,
  );
  expect(azure.provider).toMatchObject({ protocol: 'AZURE_OPENAI', settings: { apiVersion: '2024-10-21', maxConnections: 5 } });
  expect((await admin.change<Entity>('providerUpdate', { id, expectedVersion: 1 }, selection)).errors).toMatchObject([
    { code: 'VERSION_CONFLICT' },
  ]);
  const taken = await admin.change<Entity>('providerCreate', { idempotencyKey: 'again', name, baseUrl: 'https://x.invalid' }, selection);
  expect(taken.errors).toMatchObject([{ code: 'NAME_TAKEN', path: ['input', 'name'] }]);
  for (const baseUrl of ['file:///etc/passwd', 'ftp://x.invalid', 'https://user:word@x.invalid', 'https://x.invalid?a=b', 'nonsense']) {
    const refused = await admin.change<Entity>('providerCreate', { idempotencyKey: baseUrl, name: 'refused', baseUrl }, selection);
    expect([baseUrl, refused.errors.map(({ code }) => code), refused.provider]).toEqual([baseUrl, ['INVALID_INPUT'], null]);
  }
  const archived = await admin.change<{ provider: { archivedAt: string | null } }>(
    'providerArchive',
    { id, expectedVersion: 4 },
    'provider { archivedAt }',
  );
  expect(archived.provider.archivedAt).not.toBeNull();
  const { data } = await admin.api.ask<{ providers: { nodes: { id: string }[] } }>(
    admin.tenant.adminKey,
    '{ providers(first: 100) { nodes { id } } }',
  );
  expect(data?.providers.nodes.map((node) => node.id)).not.toContain(id);
});

test('the secret of a credential is in no answer, no audit event and no column in plain', async () => {
  const secret = 'sk-a-very-recognizable-secret-0123456789';
  const next = 'sk-another-recognizable-secret-9876543210';
  const provider = await admin.makeProvider();
  const selection = 'providerCredential { id version keyHint rotatedAt lastVerifiedAt verifyError provider { id hasCredential } }';
  type Entity = { providerCredential: { id: string; version: number; keyHint: string; provider: { hasCredential: boolean } } };
  const input = { idempotencyKey: 'c1', providerId: provider.id, name: 'main', secret };
  const made = await admin.change<Entity>('providerCredentialCreate', input, selection);
  expect(made.providerCredential).toMatchObject({
    version: 1,
    keyHint: '…6789',
    lastVerifiedAt: null,
    provider: { id: provider.id, hasCredential: true },
  });
  const replay = await admin.change<Entity>('providerCredentialCreate', input, selection);
  expect(replay).toMatchObject({ replayed: true, providerCredential: { id: made.providerCredential.id } });
  const reused = await admin.change<Entity>('providerCredentialCreate', { ...input, secret: next }, selection);
  expect(reused.errors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED' }]);
  const { id } = made.providerCredential;
  const rotated = await admin.change<Entity>(
    'providerCredentialRotate',
    { idempotencyKey: 'r1', id, expectedVersion: 1, secret: next },
    selection,
  );
  expect(rotated.providerCredential).toMatchObject({ version: 2, keyHint: '…3210' });
  const listed = await admin.api.ask(
    admin.tenant.adminKey,
    `{ providerCredentials(first: 5, providerId: "${provider.id}") { nodes { id name keyHint } } auditEvents(first: 50) { nodes { action changes { field from to } targets { name } } } }`,
  );
  expect(listed.errors).toBeUndefined();
  const { db } = admin.api.database.writer;
  const stored = [
    await db.selectFrom('provider_credentials').selectAll().execute(),
    await db.selectFrom('audit_events').selectAll().execute(),
    await db.selectFrom('idempotency_keys').selectAll().execute(),
  ];
  const text = JSON.stringify([made, replay, reused, rotated, listed, stored], (_name, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  );
  for (const plain of [secret, next]) expect(text.includes(plain)).toBe(false);
  const revoked = await admin.change<{ providerCredential: { archivedAt: string; provider: { hasCredential: boolean } } }>(
    'providerCredentialRevoke',
    { id, expectedVersion: 2 },
    'providerCredential { archivedAt provider { hasCredential } }',
  );
  expect(revoked.providerCredential.archivedAt).not.toBeNull();
  expect(revoked.providerCredential.provider.hasCredential).toBe(false);
  const gone = await admin.change<Entity>('providerCredentialVerify', { idempotencyKey: 'v-gone', id }, selection);
  expect(gone.errors).toMatchObject([{ code: 'NOT_FOUND' }]);
});

test('verifying calls the provider once with the credential and records what came of it, never what it said', async () => {
  const secret = 'sk-the-one-that-is-let-in-00000001';
  await using upstream = await startProvider(secret);
  const verify = async (path: string, given: string) => {
    const provider = await admin.makeProvider(`${upstream.url}${path}`);
    const made = await admin.change<{ providerCredential: { id: string } }>(
      'providerCredentialCreate',
      { idempotencyKey: `verify ${path} ${given}`, providerId: provider.id, name: 'main', secret: given },
      'providerCredential { id }',
    );
    return admin.change<{ providerCredential: { version: number; lastVerifiedAt: string | null; verifyError: string | null } }>(
      'providerCredentialVerify',
      { idempotencyKey: `verify ${path} ${given}`, id: made.providerCredential.id },
      'providerCredential { version lastVerifiedAt verifyError }',
    );
  };
  const good = await verify('/v1', secret);
  expect(good.errors).toEqual([]);
  expect(good.auditEventId).not.toBeNull();
  expect(good.providerCredential).toMatchObject({ version: 1, lastVerifiedAt: expect.any(String), verifyError: null });
  expect(upstream.asked).toEqual([{ method: 'GET', url: '/v1/models', authorization: `Bearer ${secret}` }]);

  const wrong = await verify('/v1', 'sk-the-wrong-one-0000000002');
  expect(wrong.providerCredential.verifyError).toBe('The provider refused the credential (HTTP 401).');
  const moved = await verify('/moved', secret);
  expect(moved.providerCredential.verifyError).toContain('HTTP 302');
  // Not followed: the secret went to the host it belongs to and nowhere else.
  expect(upstream.asked.map(({ url }) => url)).toEqual(['/v1/models', '/v1/models', '/moved/models']);
  const broken = await verify('/broken', secret);
  expect(broken.providerCredential.verifyError).toBe('The provider could not be reached: it broke the connection off.');
});

test('a credential is tried in the header its provider reads, and where nothing tells a good one that is said', async () => {
  await using upstream = await startProvider('sk-any');
  const signal = new AbortController().signal;
  const azure = { protocol: 'azure-openai', baseUrl: `${upstream.url}/openai`, options: { apiVersion: '2024-10-21' } } as const;
  expect(await verifyCredential(azure, 'sk-azure', signal)).toContain('HTTP 401');
  expect(upstream.asked).toEqual([{ method: 'GET', url: '/openai/models?api-version=2024-10-21', authorization: undefined }]);
  const perplexity = { protocol: 'perplexity', baseUrl: upstream.url, options: {} } as const;
  expect(await verifyCredential(perplexity, 'sk-any', signal)).toContain('try it with a request');
  expect(upstream.asked).toHaveLength(1);
});

test('a host that is not there, or no http, is a result and no failure', async () => {
  const signal = new AbortController().signal;
  const gone = await startProvider('x');
  await gone[Symbol.asyncDispose]();
  expect(await verifyCredential({ ...plain, baseUrl: gone.url }, 'sk-secret', signal)).toBe(
    'The provider could not be reached: it refused the connection.',
  );
  expect(await verifyCredential({ ...plain, baseUrl: 'file:///etc' }, 'sk-secret', signal)).toContain('no http(s) URL');
});

test('a provider that never answers is given five seconds, and one that never ends its answer none of them', async () => {
  await using upstream = await startProvider('sk-any');
  const signal = new AbortController().signal;
  // To its end it would be read for ever, or until the five seconds are over and it counts as no answer.
  expect(await verifyCredential({ ...plain, baseUrl: `${upstream.url}/endless` }, 'sk-any', signal)).toBeNull();
  const startedMs = performance.now();
  expect(await verifyCredential({ ...plain, baseUrl: `${upstream.url}/silent` }, 'sk-any', signal)).toBe(
    'The provider could not be reached: it did not answer in time.',
  );
  const tookMs = performance.now() - startedMs;
  expect(tookMs).toBeGreaterThan(4_900);
  expect(tookMs).toBeLessThan(30_000);
});
