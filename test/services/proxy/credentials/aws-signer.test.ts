import { expect, test } from 'vitest';
import { createAwsSigner } from '../../../../services/proxy/credentials/aws-signer.ts';

// The example and its answers are from the test suite that AWS publishes for Signature Version 4.
const identity = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const clock = { now: () => Date.parse('2015-08-30T12:36:00Z'), monotonic: () => 0 };
const sign = createAwsSigner({ service: 'service', region: 'us-east-1', clock });
const request = { method: 'POST', url: new URL('https://example.amazonaws.com/'), headers: {}, body: Buffer.alloc(0) };
const signed = async (fields: Partial<typeof request>): Promise<string | undefined> => {
  const headers = await sign({ ...request, ...fields }, identity);
  return headers[headers.indexOf('authorization') + 1];
};

test.each([
  ['get-vanilla', { method: 'GET' }, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  ['post-vanilla', {}, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
  [
    'post-x-www-form-urlencoded',
    { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: Buffer.from('Param1=value1') },
    'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  ],
])('%s is signed as AWS publishes it', async (_name, fields, signature) => {
  expect(await signed(fields)).toContain(`Signature=${signature}`);
});

test('a session has its token, and what the caller sends anyway is not given twice', async () => {
  const headers = await sign({ ...request, headers: { 'content-type': 'application/json' } }, { ...identity, sessionToken: 'session' });
  expect(headers.filter((_value, index) => index % 2 === 0).sort()).toEqual(['authorization', 'x-amz-date', 'x-amz-security-token']);
});
