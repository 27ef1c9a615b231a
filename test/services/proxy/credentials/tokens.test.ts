import { generateKeyPairSync, verify } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { entraToken } from '../../../../services/proxy/credentials/entra-token.ts';
import { googleToken } from '../../../../services/proxy/credentials/google-token.ts';
import { systemClock } from '../../../../services/runtime/clock.ts';
import type { TokenServer } from '../../../harness/token-server.ts';
import { startTokenServer } from '../../../harness/token-server.ts';

const OPERATORS = { isOperators: true, clock: systemClock };
const ORGANIZATIONS = { isOperators: false, clock: systemClock };
const SCOPE = 'https://cognitiveservices.azure.com/.default';

let server: TokenServer;
let folder: string;
beforeAll(async () => {
  server = await startTokenServer();
  folder = await mkdtemp(join(tmpdir(), 'tp-token-'));
});
beforeEach(() => {
  server.requests.length = 0;
  server.refusal = null;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const signal = (): AbortSignal => AbortSignal.timeout(10_000);

test('the key of a service account signs for a token, at the address that the key names', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const key = JSON.stringify({
    type: 'service_account',
    project_id: 'p',
    private_key_id: 'k',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'gateway@p.iam.gserviceaccount.com',
    token_uri: `${server.url}/token`,
  });
  const before = Date.now();
  const { token, expiresAtMs } = await googleToken(key, ORGANIZATIONS)(signal());
  expect(token).toBe('token-1');
  expect(expiresAtMs).toBeGreaterThan(before + 3_500_000);
  const [asked] = server.requests;
  expect([asked?.method, asked?.path]).toEqual(['POST', '/token']);
  const [head = '', claims = '', signature = ''] = (asked?.form.get('assertion') ?? '').split('.');
  expect(verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'))).toMatchObject({
    iss: 'gateway@p.iam.gserviceaccount.com',
    scope: 'https://www.googleapis.com/auth/cloud-platform',
  });
});

test('without a key it is the identity of the machine', async () => {
  const { GCE_METADATA_HOST: before } = process.env;
  process.env.GCE_METADATA_HOST = server.url.slice('http://'.length);
  try {
    const { token } = await googleToken(null, OPERATORS)(signal());
    expect(token).toMatch(/^token-\d+$/);
    expect(server.requests.at(-1)?.path).toMatch(/^\/computeMetadata\/v1\/instance\/service-accounts\/default\/token/);
    expect(server.requests.at(-1)?.headers['metadata-flavor']).toBe('Google');
  } finally {
    if (before === undefined) delete process.env.GCE_METADATA_HOST;
    else process.env.GCE_METADATA_HOST = before;
  }
});

test('the secret of an application is exchanged at its tenant', async () => {
  const secret = JSON.stringify({ tenantId: 't', clientId: 'c', clientSecret: 's', authority: server.url });
  server.lifeSeconds = 600;
  const before = Date.now();
  const { token, expiresAtMs } = await entraToken(secret, OPERATORS)(signal());
  server.lifeSeconds = 3_600;
  expect(token).toBe('token-1');
  expect(expiresAtMs - before).toBeGreaterThan(590_000);
  expect(expiresAtMs - before).toBeLessThanOrEqual(600_000 + (Date.now() - before));
  const [asked] = server.requests;
  expect(asked?.path).toBe('/t/oauth2/v2.0/token');
  expect(Object.fromEntries(asked?.form ?? [])).toEqual({
    grant_type: 'client_credentials',
    scope: SCOPE,
    client_id: 'c',
    client_secret: 's',
  });
});

test('a workload presents the token in its file, read each time', async () => {
  const federatedTokenFile = join(folder, 'federated');
  const fetchToken = entraToken(JSON.stringify({ tenantId: 't', clientId: 'c', federatedTokenFile, authority: server.url }), OPERATORS);
  for (const assertion of ['one', 'two']) {
    await writeFile(federatedTokenFile, `${assertion}\n`);
    await fetchToken(signal());
    expect(server.requests.at(-1)?.form.get('client_assertion')).toBe(assertion);
  }
});

test('a machine of Azure is asked who it is', async () => {
  const machineUrl = `${server.url}/metadata/identity/oauth2/token`;
  const fetchToken = entraToken('{"managedIdentity":true,"clientId":"c"}', { ...OPERATORS, machineUrl });
  expect((await fetchToken(signal())).token).toBe('token-1');
  const [asked] = server.requests;
  expect([asked?.method, asked?.headers.metadata]).toEqual(['GET', 'true']);
  expect(asked?.path).toContain('resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=c');
});

test('a refusal says what was answered and nothing that is secret', async () => {
  server.refusal = 'invalid_client';
  const secret = JSON.stringify({ tenantId: 't', clientId: 'c', clientSecret: 'hush', authority: server.url });
  await expect(entraToken(secret, OPERATORS)(signal())).rejects.toThrow(/^Entra ID answered HTTP 401 invalid_client$/);
});

test.each<[what: string, make: () => unknown]>([
  ['files', () => googleToken('/etc/passwd', ORGANIZATIONS)],
  ['programs', () => googleToken('{"type":"external_account"}', ORGANIZATIONS)],
  ['the machine', () => googleToken(null, ORGANIZATIONS)],
  ['files at Azure', () => entraToken('{"tenantId":"t","clientId":"c","federatedTokenFile":"/etc/passwd"}', ORGANIZATIONS)],
  ['the machine at Azure', () => entraToken('{"managedIdentity":true}', ORGANIZATIONS)],
  ['an address without TLS', () => entraToken('{"tenantId":"t","clientId":"c","clientSecret":"s","authority":"http://a"}', ORGANIZATIONS)],
])('what an organization sealed has no use of %s', (_what, make) => {
  expect(make).toThrow('the ');
});

test('the file of a credential is read each time, and one that is none is told without its path, which may be a key', async () => {
  const path = join(folder, 'google.json');
  const fetchToken = googleToken(path, OPERATORS);
  await expect(fetchToken(signal())).rejects.toThrow(/^the credential is neither JSON nor the path of a file that can be read \(ENOENT\)$/);
  await writeFile(path, '{"type":"invented"}');
  await expect(fetchToken(signal())).rejects.toThrow('of the type invented are not known');
  const subject = join(folder, 'subject');
  await writeFile(subject, 'proof');
  await writeFile(
    path,
    JSON.stringify({
      type: 'external_account',
      audience: '//iam.googleapis.com/pool',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${server.url}/sts`,
      credential_source: { file: subject },
    }),
  );
  expect((await fetchToken(signal())).token).toBe('token-1');
  const [asked] = server.requests;
  expect([asked?.path, asked?.form.get('subject_token')]).toEqual(['/sts', 'proof']);
});

test('what is no credential says so without quoting it', () => {
  for (const make of [() => googleToken('{"private_key":"hush"', OPERATORS), () => entraToken('{"clientSecret":"hush"}', OPERATORS)]) {
    expect(make).toThrow(expect.objectContaining({ name: 'CredentialFault', message: expect.not.stringContaining('hush') }));
  }
});
