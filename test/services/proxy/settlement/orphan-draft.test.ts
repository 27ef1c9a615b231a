import { expect, test } from 'vitest';
import { encodeOrphanDraft, settleOrphanDraft } from '../../../../services/proxy/settlement/orphan-draft.ts';

test('the settlement of an orphan names the route it was asked for by', () => {
  const request = {
    requestId: 'req_1',
    key: { id: 'key_1', organizationId: 'org_1', teamId: null, userId: null, serviceAccountId: 'svc_1', partition: 3 },
    endpoint: '/v1/chat/completions',
    admittedAtMs: 1,
    tags: {},
    subjectCommitment: null,
    sdkRetryCount: null,
    modelRequested: 'route/chat',
    model: 'acme/large',
    provider: 'acme',
    routeId: 'rte_1',
    stream: false,
    decisionReason: 'route_weighted',
    candidates: ['acme/large', 'zeta/small'],
  };
  const draft = encodeOrphanDraft(request, null, { upstreamModel: 'large', startMs: 1 }, { node: 'nod_1', epoch: 2 });
  expect(settleOrphanDraft(draft)?.event).toMatchObject({
    routeId: 'rte_1',
    serviceAccountId: 'svc_1',
    outcome: 'orphaned',
    decision: { reason: 'route_weighted', candidates: ['acme/large', 'zeta/small'] },
  });
});
