import { expect, test } from 'vitest';
import { awsCredential } from '../../../../services/proxy/credentials/aws-credential.ts';
import { createHeldIdentity } from '../../../../services/proxy/credentials/held-identity.ts';

const keys = { accessKeyId: 'AKID', secretAccessKey: 'secret' };
const roleArn = 'arn:aws:iam::123456789012:role/turnpike';

test('keys are an identity that stays, in the region that they name', async () => {
  const found = awsCredential(JSON.stringify({ ...keys, sessionToken: 'session', region: 'eu-west-1' }), false, null);
  expect(found?.region).toBe('eu-west-1');
  expect(await found?.fetchIdentity()).toEqual({ ...keys, sessionToken: 'session' });
});

test.each([
  ['a profile', JSON.stringify({ profile: 'default' })],
  ['a role that the machine may take', JSON.stringify({ roleArn })],
  ['a token in a file', JSON.stringify({ roleArn, webIdentityTokenFile: '/var/run/token' })],
  ['what the machine has', null],
])('only the operator may name %s', (_what, secret) => {
  expect(awsCredential(secret, true, null)).not.toBeNull();
  expect(awsCredential(secret, false, null)).toBeNull();
});

test.each(['{', '{}', '[]', '{"accessKeyId":"AKID"}', '{"profile":"default","other":1}'])('%s is no credential', (secret) => {
  expect(awsCredential(secret, true, null)).toBeNull();
});

test('an identity is fetched once, replaced ahead of its end while the old one is used, and used on where that fails', async () => {
  let now = 0;
  let fetched = 0;
  let failing = false;
  const told: unknown[] = [];
  const fetchIdentity = async () => {
    fetched += 1;
    if (failing) throw new Error('away');
    return { ...keys, sessionToken: `session ${fetched}`, expiration: new Date(now + 3_600_000) };
  };
  const identity = createHeldIdentity(fetchIdentity, { now: () => now, monotonic: () => now }, (error) => told.push(error));
  const session = async (): Promise<string | undefined> => (await identity()).sessionToken;
  expect(await Promise.all([session(), session()])).toEqual(['session 1', 'session 1']);
  now += 56 * 60_000;
  expect(await session()).toBe('session 1');
  await expect.poll(session).toBe('session 2');
  failing = true;
  now += 56 * 60_000;
  expect(await session()).toBe('session 2');
  await expect.poll(() => told.length).toBe(1);
  expect([await session(), fetched]).toEqual(['session 2', 3]);
  now += 5 * 60_000;
  await expect(session()).rejects.toThrow('away');
  // Not for each request: a second later, and then there is one again.
  failing = false;
  await expect(session()).rejects.toThrow('away');
  expect(fetched).toBe(4);
  now += 1_000;
  expect(await session()).toBe('session 5');
});
