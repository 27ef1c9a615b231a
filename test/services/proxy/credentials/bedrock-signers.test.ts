import { expect, test } from 'vitest';
import { createBedrockSigners } from '../../../../services/proxy/credentials/bedrock-signers.ts';
import { testTarget } from '../../../harness/test-target.ts';

const told: string[] = [];
const signers = createBedrockSigners({
  clock: { now: () => 1_790_000_000_000, monotonic: () => 0 },
  onFault: (_provider, words) => told.push(words),
});
const keys = JSON.stringify({ accessKeyId: 'AKID', secretAccessKey: 'secret' });

test.each([
  ['https://bedrock-runtime.eu-central-1.amazonaws.com', 'eu-central-1'],
  ['https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
  ['https://vpce-1-2.bedrock-runtime.us-east-1.vpce.amazonaws.com', 'us-east-1'],
  ['https://bedrock-runtime.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
])('%s is in %s', async (baseUrl, region) => {
  const sign = signers(testTarget('bedrock', baseUrl), keys);
  const headers = await sign?.('POST', '/model/m/converse', ['content-type', 'application/json'], Buffer.from('{}'));
  expect(headers?.[headers.indexOf('authorization') + 1]).toContain(
    `/${region}/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date`,
  );
});

test('an API key signs nothing, and what cannot sign is refused with its reason', () => {
  const target = testTarget('bedrock', 'https://gateway.internal');
  expect(signers(target, 'ABSKQmVkcm9jaw==')).toBeNull();
  expect(() => signers(target, keys)).toThrow("gateway's own credential");
  expect(() => signers({ ...target, provider: { ...target.provider, organizationId: 'org_1' } }, null)).toThrow("gateway's own credential");
  expect(told).toEqual([
    'neither it nor the base URL names a region',
    'it is none that signs for AWS, or one that only the operator may name',
  ]);
});
