import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FetchIdentity } from '../../../../services/proxy/credentials/aws-credential.ts';
import { awsCredential } from '../../../../services/proxy/credentials/aws-credential.ts';
import { createBedrockSigners } from '../../../../services/proxy/credentials/bedrock-signers.ts';
import { createHeldIdentity } from '../../../../services/proxy/credentials/held-identity.ts';
import type { AwsIdentities } from '../../../harness/aws-identities.ts';
import { startAwsIdentities } from '../../../harness/aws-identities.ts';
import { startProxy, testModel } from '../../../harness/proxy.ts';
import { startScriptedUpstream } from '../../../harness/scripted-upstream.ts';
import { testTarget } from '../../../harness/test-target.ts';

const roleArn = 'arn:aws:iam::123456789012:role/turnpike';
const keys = { accessKeyId: 'AKIDKEYS', secretAccessKey: 'a secret of the operator' };

let aws: AwsIdentities;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tp-aws-'));
  await writeFile(join(folder, 'token'), 'a token of the workload');
  const profiles = [
    `[profile plain]\naws_access_key_id = AKIDPLAIN\naws_secret_access_key = plain\n`,
    `[profile taking]\nrole_arn = ${roleArn}\nsource_profile = plain\nregion = eu-west-1\n`,
  ];
  await writeFile(join(folder, 'config'), profiles.join('\n'));
  await writeFile(join(folder, 'none'), '');
});
beforeEach(async () => {
  aws = await startAwsIdentities();
  // Nothing of the machine that the test runs on.
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'none'));
  vi.stubEnv('AWS_ENDPOINT_URL_STS', aws.url);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await aws[Symbol.asyncDispose]();
});
afterAll(() => rm(folder, { recursive: true }));

function fetchOf(secret: object | null): FetchIdentity {
  const found = awsCredential(secret === null ? null : JSON.stringify(secret), true, 'us-east-1');
  if (found === null) throw new Error('no credential');
  return found.fetchIdentity;
}

const temporary = { accessKeyId: 'ASIA1', secretAccessKey: 'secret 1', sessionToken: 'session 1', expiration: expect.any(Date) };

describe('temporary credentials are got', () => {
  test('by keys that take a role', async () => {
    const credential = { ...keys, roleArn, externalId: 'ours', sessionName: 'gateway', region: 'eu-central-1' };
    expect(await fetchOf(credential)()).toMatchObject(temporary);
    const [asked] = aws.requests;
    expect(Object.fromEntries(asked?.form ?? [])).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: roleArn,
      ExternalId: 'ours',
      RoleSessionName: 'gateway',
    });
    expect(asked?.headers.authorization).toMatch(/Credential=AKIDKEYS\/\d+\/eu-central-1\/sts\//);
  });

  test('by a token in a file', async () => {
    const credential = { roleArn, webIdentityTokenFile: join(folder, 'token'), region: 'eu-central-1' };
    expect(await fetchOf(credential)()).toMatchObject(temporary);
    const [asked] = aws.requests;
    expect(Object.fromEntries(asked?.form ?? [])).toMatchObject({
      Action: 'AssumeRoleWithWebIdentity',
      WebIdentityToken: 'a token of the workload',
      RoleSessionName: 'turnpike',
    });
    expect(asked?.headers.authorization).toBeUndefined();
  });

  test('by a role that the machine may take', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDMACHINE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'machine');
    expect(await fetchOf({ roleArn, region: 'us-east-1' })()).toMatchObject(temporary);
    expect(aws.requests[0]?.headers.authorization).toContain('Credential=AKIDMACHINE/');
  });

  test('by a profile, which may hold keys or take a role', async () => {
    expect(await fetchOf({ profile: 'plain' })()).toMatchObject({ accessKeyId: 'AKIDPLAIN', secretAccessKey: 'plain' });
    expect(await fetchOf({ profile: 'taking' })()).toMatchObject(temporary);
    expect(aws.requests[0]?.headers.authorization).toContain('Credential=AKIDPLAIN/');
  });
});

test('STS is asked in the region of the provider, which may be of another partition, unless the credential names one', async () => {
  const signers = createBedrockSigners({ clock: { now: Date.now, monotonic: () => 0 }, onFault: () => {} });
  const target = testTarget('bedrock', 'https://bedrock-runtime.us-gov-west-1.amazonaws.com');
  for (const region of [undefined, 'us-gov-east-1']) {
    const sign = signers(target, JSON.stringify({ ...keys, roleArn, region }));
    const headers = await sign?.('POST', '/model/m/converse', [], Buffer.from('{}'));
    expect(headers?.join(' ')).toContain('/us-gov-west-1/bedrock/aws4_request');
  }
  const asked = aws.requests.map(({ headers }) => /Credential=[^/]+\/\d+\/([^/]+)\/sts/.exec(headers.authorization ?? '')?.[1]);
  expect(asked).toEqual(['us-gov-west-1', 'us-gov-east-1']);
});

describe('without a credential it is what the machine has', () => {
  test.each<[what: string, variables: () => Readonly<Record<string, string>>, accessKeyId: string]>([
    ['keys in the environment', () => ({ AWS_ACCESS_KEY_ID: 'AKIDMACHINE', AWS_SECRET_ACCESS_KEY: 'machine' }), 'AKIDMACHINE'],
    ['a profile', () => ({ AWS_PROFILE: 'plain' }), 'AKIDPLAIN'],
    [
      'a web identity, as EKS gives it',
      () => ({ AWS_ROLE_ARN: roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'), AWS_REGION: 'eu-west-1' }),
      'ASIA1',
    ],
    ['the role of a container', () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${aws.url}/container` }), 'ASIA1'],
    ['the role of an instance', () => ({ AWS_EC2_METADATA_DISABLED: '', AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.url }), 'ASIA1'],
  ])('%s', async (_what, variables, accessKeyId) => {
    for (const [name, value] of Object.entries(variables())) vi.stubEnv(name, value);
    expect((await fetchOf(null)()).accessKeyId).toBe(accessKeyId);
  });

  test('nothing at all is told as that', async () => {
    await expect(fetchOf(null)()).rejects.toThrow(/credentials/i);
  });
});

test('they are replaced five minutes ahead of their end, while the old ones are used', async () => {
  let nowMs = Date.now();
  const clock = { now: () => nowMs, monotonic: () => nowMs };
  const identity = createHeldIdentity(fetchOf({ ...keys, roleArn, region: 'us-east-1' }), clock, () => {});
  const inUse = async (): Promise<string> => (await identity()).accessKeyId;
  expect([await inUse(), await inUse(), aws.requests.length]).toEqual(['ASIA1', 'ASIA1', 1]);
  nowMs += 56 * 60_000;
  expect(await inUse()).toBe('ASIA1');
  await expect.poll(inUse).toBe('ASIA2');
});

test('a role that may not be taken is a refusal that says nothing of it, and the operator reads why', async () => {
  aws.refusal = 'AccessDenied';
  await using upstream = await startScriptedUpstream();
  await using proxy = await startProxy({
    providers: { bedrock: new URL(upstream.baseUrl).origin },
    protocols: { bedrock: 'bedrock' },
    providerCredential: { env: 'BEDROCK' },
    credentials: { BEDROCK: JSON.stringify({ ...keys, roleArn, region: 'us-east-1' }) },
    models: [testModel('bedrock/nova')],
  });
  const ask = () => proxy.chat({ model: 'bedrock/nova', messages: [{ role: 'user', content: 'hi' }] });
  for (const response of [await ask(), await ask()]) {
    expect(response.status).toBe(502);
    const text = await response.text();
    expect(JSON.parse(text).error.code).toBe('upstream_credentials_rejected');
    expect(text).not.toContain('role');
    expect((await proxy.eventOf(response.headers.get('x-request-id'))).costPico).toBe('0');
  }
  const told = proxy.logLines.filter((line) => line.includes('cannot be signed'));
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('not authorized to take the role');
  expect(proxy.logLines.join('')).not.toContain(keys.secretAccessKey);
  expect(upstream.requests).toEqual([]);
});
