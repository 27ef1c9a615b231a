import { expect, test } from 'vitest';
import type { UsageAnswer, UsageQuestion } from '../../../../schema/graphql/ports/usage-reads.ts';
import { createSharedReports } from '../../../../services/api/live/shared-reports.ts';

const question: UsageQuestion = {
  filter: {
    apiKeyIds: null,
    teamIds: null,
    userIds: null,
    serviceAccountIds: null,
    routeIds: null,
    providers: null,
    models: null,
    outcomes: null,
    tag: null,
  },
  from: new Date(0),
  to: new Date(3_600_000),
  interval: 'HOUR',
  groupBy: [],
  tagKey: null,
  topN: 10,
  rankBy: 'COST',
};
const answer = (dataThrough: number): UsageAnswer => ({
  points: [],
  buckets: [],
  groups: [],
  totals: {
    requests: 0n,
    succeeded: 0n,
    failed: 0n,
    cancelled: 0n,
    blocked: 0n,
    rejected: 0n,
    cached: 0n,
    orphaned: 0n,
    unratedRequests: 0n,
    estimatedRequests: 0n,
    streamedRequests: 0n,
    costPicoUsd: 0n,
    tokens: {
      input: null,
      cacheRead: null,
      cacheWrite5m: null,
      cacheWrite1h: null,
      inputAudio: null,
      inputImage: null,
      output: null,
      reasoning: null,
      outputAudio: null,
      outputImage: null,
    },
    firstByteHistogram: [],
    totalHistogram: [],
  },
  truncated: false,
  dataThrough: new Date(dataThrough),
});

test('the same question at the same position is asked once, another position or organization again', async () => {
  const { share } = createSharedReports();
  let asked = 0;
  const ask = async () => answer(++asked);
  const at = (organizationId: string, position: bigint) => share({ organizationId, position }, question, ask);
  expect(await Promise.all([at('one', 1n), at('one', 1n), at('one', 1n)])).toEqual([answer(1), answer(1), answer(1)]);
  expect(await at('one', 2n)).toEqual(answer(2));
  expect(await at('two', 2n)).toEqual(answer(3));
  await share({ organizationId: 'one', position: 2n }, { ...question, topN: 11 }, ask);
  expect(asked).toBe(4);
});

test('one who leaves in the middle of it takes nobody along', async () => {
  const { share } = createSharedReports();
  const place = { organizationId: 'one', position: 1n };
  const first = share(place, question, () => Promise.reject(new Error('left')));
  const second = share(place, question, async () => answer(7));
  await expect(first).rejects.toThrow('left');
  expect(await second).toEqual(answer(7));
});
