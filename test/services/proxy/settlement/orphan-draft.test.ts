import fc from 'fast-check';
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

test('an orphan has used all that its request held', () => {
  const request = {
    requestId: 'req_1',
    key: { id: 'key_1', organizationId: 'org_1', teamId: null, userId: null, serviceAccountId: null, partition: 3 },
    endpoint: '/v1/chat/completions',
    admittedAtMs: 1,
    tags: {},
    subjectCommitment: null,
    sdkRetryCount: null,
    modelRequested: null,
    model: 'acme/large',
    provider: 'acme',
    routeId: null,
    stream: false,
    decisionReason: 'named',
    candidates: [],
  };
  const budget = {
    kind: 'budget' as const,
    id: 'bud_1',
    selector: [],
    except: null,
    groupBy: [],
    limits: [],
    shared: [],
    warnsFrom: null,
    enforcement: 'enforce' as const,
    downgradeTo: null,
    onUnpricedModel: 'block' as const,
    fallbackPrice: null,
  };
  const hold = { limit: 'l', group: '["ada"]', amount: 12_345_678_901_234_567_890n, unit: 'usd' as const, budget, counter: 'c' };
  const call = { upstreamModel: 'large', startMs: 1 };
  const draft = encodeOrphanDraft({ ...request, holds: [hold] }, null, call, { node: 'nod_1', epoch: 2 });
  const used = '12345678901234567890';
  expect(settleOrphanDraft(draft)?.event.holds).toEqual([{ counter: 'c', hold: used, debit: used, cost: used }]);
  expect(draft).not.toContain('ada');
  const counts = [
    { limit: '00000000-0000-7000-8000-000000000000', group: '["\u00e9\\u0001"]', amount: 7n, unit: 'usd' as const, budget, sight: null },
  ];
  const both = encodeOrphanDraft({ ...request, holds: [hold], counts }, null, call, { node: 'nod_1', epoch: 2 });
  expect(settleOrphanDraft(both)?.event).toMatchObject({
    holds: [{ counter: 'c', hold: used }],
    counted: [{ limit: '00000000-0000-7000-8000-000000000000', group: '["\u00e9\\u0001"]', cost: '7' }],
  });
  expect(settleOrphanDraft(encodeOrphanDraft({ ...request, holds: null }, null, call, { node: 'nod_1', epoch: 2 }))?.event.holds).toEqual(
    [],
  );
});

test('what two requests under one key differ in is never taken from the other', () => {
  const key = { id: 'key_1', organizationId: 'org_1', teamId: 'team_1', userId: null, serviceAccountId: null, partition: 3 };
  const text = fc.constantFrom('a', 'b "quoted"');
  const requests = fc.record({
    requestId: text,
    endpoint: text,
    admittedAtMs: fc.constantFrom(1, 2),
    tags: fc.constantFrom({}, { team: 'x' }),
    subjectCommitment: fc.constantFrom(null, 'c'),
    sdkRetryCount: fc.constantFrom(null, 1),
    modelRequested: fc.option(text),
    model: fc.option(text),
    provider: fc.option(text),
    routeId: fc.option(text),
    stream: fc.boolean(),
    decisionReason: text,
    candidates: fc.constantFrom(['a'], ['a', 'b']),
  });
  const writers = fc.record({ node: text, epoch: fc.constantFrom(1, 2) });
  const calls = fc.record({ upstreamModel: text, startMs: fc.constantFrom(0, 1.5) });
  fc.assert(
    fc.property(fc.array(fc.tuple(requests, calls, writers), { minLength: 2, maxLength: 6 }), (all) => {
      for (const [request, call, writer] of all) {
        const admitted = { ...request, key };
        const alone = { ...admitted, key: { ...key } };
        expect(settleOrphanDraft(encodeOrphanDraft(admitted, null, call, writer))).toEqual(
          settleOrphanDraft(encodeOrphanDraft(alone, null, call, writer)),
        );
      }
    }),
  );
});
