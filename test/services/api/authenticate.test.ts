import { expect, test } from 'vitest';
import { mintVirtualKey } from '../../../schema/values/virtual-key.ts';
import { createAuthenticate } from '../../../services/api/authenticate.ts';
import type { Principal } from '../../../services/api/principals.ts';
import { systemRandom } from '../../../services/runtime/random.ts';

const viewer = { apiKeyId: 'a', organizationId: 'o', name: 'admin', permissions: ['*'], expiresAt: null, allowedCidrs: null };
const newKey = () => mintVirtualKey('adm', 'test', systemRandom.bytes);

/** The door of the API before keys whose state the test decides, at a time that stands still. */
function door() {
  const states = new Map<string, Principal['kind']>();
  let lookUps = 0;
  let isAway = false;
  const authenticate = createAuthenticate({
    principals: {
      find: async (presented) => {
        lookUps += 1;
        await Promise.resolve();
        if (isAway) throw new Error('away');
        const kind = states.get(presented) ?? 'unknown';
        return kind === 'known' ? { kind, viewer } : { kind };
      },
    },
    clock: { now: () => 0, monotonic: () => 0 },
    uses: { note: () => {} },
    onRefusal: () => {},
  });
  return {
    states,
    lookUps: () => lookUps,
    goAway: (away: boolean) => {
      isAway = away;
    },
    ask: async (secret: string, address = '192.0.2.7') => {
      const answer = await authenticate(`Bearer ${secret}`, address);
      return answer.kind === 'known' ? 200 : answer.refusal.status;
    },
  };
}
const wrongKeys = Array.from({ length: 100 }, newKey);

test('of many wrong keys at once no more are looked up than an address may try, and elsewhere nobody notices', async () => {
  const { ask, lookUps, states } = door();
  const answers = await Promise.all(wrongKeys.map((key) => ask(key)));
  expect([lookUps(), answers.filter((status) => status === 401).length, answers.filter((status) => status === 429).length]).toEqual([
    60, 60, 40,
  ]);
  const good = newKey();
  states.set(good, 'known');
  expect([await ask(good), await ask(good, '192.0.2.8')]).toEqual([429, 200]);
});

test('a key that was good when last seen is let in from an address with too many wrong ones, until it is refused', async () => {
  const { ask, states } = door();
  const good = newKey();
  states.set(good, 'known');
  expect(await ask(good)).toBe(200);
  await Promise.all(wrongKeys.map((key) => ask(key)));
  expect(await ask(good)).toBe(200);
  states.set(good, 'revoked');
  expect([await ask(good), await ask(good)]).toEqual([401, 429]);
});

test('good keys use up nothing of what may fail, however many at once, and neither does a database that is away', async () => {
  const { ask, states, goAway } = door();
  for (const key of wrongKeys) states.set(key, 'known');
  for (const key of wrongKeys) expect(await ask(key)).toBe(200);
  goAway(true);
  for (let tries = 0; tries < 100; tries++) expect(await ask(newKey())).toBe(503);
  goAway(false);
  expect(await ask(newKey())).toBe(401);
});
