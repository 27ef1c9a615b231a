import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mintId } from '../../../../schema/values/ids.ts';
import type { Choice, Decision } from '../../../../services/registry/catalog/catalog.ts';
import { chooseTarget } from '../../../../services/registry/catalog/choose-target.ts';
import { NO_CREDENTIAL } from '../../../../services/registry/catalog/compiled-credentials.ts';
import { seededRandom } from '../../../harness/seeded-random.ts';

const provider = {
  id: 'prv',
  organizationId: null,
  name: 'acme',
  protocol: 'openai',
  baseUrl: 'http://acme',
  credential: null,
  options: {},
} as const;

function choiceOf(weights: readonly number[]): Choice<never> {
  const decisions = weights.map((_, index): Decision<never> => {
    const name = `acme/${index}`;
    const target = {
      id: name,
      name,
      provider,
      credential: NO_CREDENTIAL,
      upstreamModel: name,
      createdAt: 0,
      contextWindow: null,
      maxOutputTokens: null,
      prices: [],
    };
    return { target, routeId: 'rte', reason: 'route_weighted', candidates: [name], outputCap: null };
  });
  const [first, ...others] = decisions;
  if (first === undefined) throw new Error('no weights');
  return { decisions: [first, ...others], weightSums: weights.map((_, index) => weights.slice(0, index + 1).reduce((a, b) => a + b)) };
}

const weights = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 16 });

test('each target is taken as often as its weight is part of the sum', () => {
  fc.assert(
    fc.property(weights, fc.integer({ min: 0, max: 2 ** 31 }), (wanted, seed) => {
      const random = seededRandom(seed);
      const choice = choiceOf(wanted);
      const requests = 4_000;
      const taken = new Map<Decision<never>, number>();
      for (let index = 0; index < requests; index++) {
        const decision = chooseTarget(choice, mintId('request', 1_700_000_000_000 + index, random.bytes(10)));
        taken.set(decision, (taken.get(decision) ?? 0) + 1);
      }
      const sum = wanted.reduce((a, b) => a + b);
      for (const [index, decision] of choice.decisions.entries()) {
        const share = (wanted[index] ?? 0) / sum;
        // Six standard deviations of a binomial count: one run in 500 million leaves it by chance.
        const slack = 6 * Math.sqrt(requests * share * (1 - share)) + 1;
        expect(Math.abs((taken.get(decision) ?? 0) - requests * share)).toBeLessThanOrEqual(slack);
      }
    }),
    { numRuns: 25, seed: 5 },
  );
});

test('the same request always goes to the same target, by its id alone', () => {
  fc.assert(
    fc.property(weights, fc.uint8Array({ minLength: 10, maxLength: 10 }), fc.nat(), (wanted, entropy, timeMs) => {
      const choice = choiceOf(wanted);
      const id = mintId('request', timeMs, entropy);
      const later = mintId('request', timeMs + 86_400_000, entropy);
      expect(chooseTarget(choice, id)).toBe(chooseTarget(choice, id));
      expect(chooseTarget(choice, later)).toBe(chooseTarget(choice, id));
    }),
  );
});

test('the lowest draw takes the first target and the highest the last', () => {
  const choice = choiceOf([1, 1_000, 1]);
  expect(chooseTarget(choice, `req_${'0'.repeat(26)}`).target.name).toBe('acme/0');
  expect(chooseTarget(choice, `req_${'0'.repeat(20)}${'z'.repeat(6)}`).target.name).toBe('acme/2');
});
