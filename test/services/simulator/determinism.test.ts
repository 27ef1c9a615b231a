import fc from 'fast-check';
import { expect, test } from 'vitest';
import { modelNames } from '../../../services/simulator/models.ts';
import { Occurrences } from '../../../services/simulator/occurrences.ts';
import { fingerprint, SeededRandom } from '../../../services/simulator/seeded-random.ts';
import { usageShapes } from '../../../services/simulator/usage-shape.ts';
import { startSimulator } from '../../harness/simulator.ts';

const clock = { now: () => 1_800_000_000_000, monotonic: () => performance.now() };
const quickModels = modelNames.filter((model) => !['slow', 'steady', 'jitter', 'stall', 'stall-mid'].includes(model));

async function answerTo(
  baseUrl: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
  path = '/chat/completions',
): Promise<string> {
  try {
    const response = await fetch(baseUrl + path, { method: 'POST', body: JSON.stringify(body), headers });
    return `${response.status} ${response.headers.get('x-request-id')} ${await response.text()}`;
  } catch {
    return 'broken';
  }
}

test('equal requests to simulators of equal seed get equal bytes, whatever comes between them and whatever id the gateway gives them', async () => {
  const request = fc.record({
    model: fc.constantFrom(...quickModels),
    stream: fc.boolean(),
    messages: fc.array(fc.record({ role: fc.constant('user'), content: fc.string({ maxLength: 60 }) }), { minLength: 1, maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(request, { minLength: 1, maxLength: 5, selector: (value) => JSON.stringify(value) }),
      fc.integer(),
      async (requests, seed) => {
        await using one = await startSimulator({ seed, clock });
        await using other = await startSimulator({ seed, clock });
        const inTurn: string[] = [];
        for (const body of requests) inTurn.push(await answerTo(one.baseUrl, body));
        const backwards = await Promise.all(
          requests.toReversed().map((body, index) => answerTo(other.baseUrl, body, { 'x-request-id': `req_${index}` })),
        );
        expect(backwards.toReversed()).toEqual(inTurn);
      },
    ),
    { numRuns: 25 },
  );
});

test('responses, embeddings and every usage shape repeat byte for byte too', async () => {
  await using one = await startSimulator({ seed: 3, clock });
  await using other = await startSimulator({ seed: 3, clock });
  const text = 'hello there';
  for (const { baseUrl } of [one, other]) await answerTo(baseUrl, { model: 'flaky', messages: [{ role: 'user', content: text }] });
  const same = async (body: object, headers: Readonly<Record<string, string>>, path: string) => {
    const answers = [await answerTo(one.baseUrl, body, headers, path), await answerTo(other.baseUrl, body, headers, path)];
    expect(answers[0]).toMatch(/^200 /);
    expect(answers[1]).toBe(answers[0]);
  };
  for (const stream of [true, false]) {
    await same({ model: 'reasoning', input: text, stream, reasoning: { summary: 'auto' } }, {}, '/responses');
    for (const shape of usageShapes) {
      const body = { model: 'reasoning', messages: [{ role: 'user', content: text }], stream };
      await same(body, { 'x-simulator': `usage-shape=${shape}` }, '/chat/completions');
    }
  }
  await same({ model: 'echo', input: [text, 'again'] }, {}, '/embeddings');
});

test('a repeated request gets an id of its own, and another seed other ids', async () => {
  await using one = await startSimulator({ seed: 1, clock });
  await using two = await startSimulator({ seed: 2, clock });
  const body = { model: 'echo', messages: [{ role: 'user', content: 'again' }] };
  const answers = [await answerTo(one.baseUrl, body), await answerTo(one.baseUrl, body), await answerTo(two.baseUrl, body)];
  expect(new Set(answers.map((answer) => /chatcmpl-\w+/.exec(answer)?.[0])).size).toBe(3);
});

test('ten thousand ids are ten thousand', () => {
  const ids = Array.from({ length: 10_000 }, (_, index) =>
    new SeededRandom(1, fingerprint(Buffer.from(`body ${index % 100}`)), Math.floor(index / 100)).letters(29),
  );
  expect(new Set(ids).size).toBe(10_000);
});

test('the share of a flaky model that fails is the share asked for', async () => {
  await using provider = await startSimulator({ seed: 7, clock });
  for (let index = 0; index < 400; index++) {
    await answerTo(provider.baseUrl, {
      model: 'flaky',
      messages: [{ role: 'user', content: `message ${index}` }],
      metadata: { simulator: 'fail-kinds=500,429' },
    });
  }
  const { finished, refused } = provider.simulator.books.summary().outcomes;
  expect(finished + refused).toBe(400);
  // Three in ten of 400, and five standard deviations.
  expect(Math.abs(refused - 120)).toBeLessThan(46);
});

test('occurrences are counted from 0, and forgotten a generation at a time', () => {
  const occurrences = new Occurrences(2);
  expect([occurrences.count(1), occurrences.count(1), occurrences.count(2), occurrences.count(1)]).toEqual([0, 1, 0, 2]);
  for (const other of [3, 4, 5, 6, 7]) occurrences.count(other);
  expect(occurrences.count(1)).toBe(0);
});
