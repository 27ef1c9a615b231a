import type { IncomingHttpHeaders } from 'node:http';
import { expect, test } from 'vitest';
import { mintVirtualKey, parseVirtualKey } from '../../../../schema/values/virtual-key.ts';
import { createAuthenticator } from '../../../../services/proxy/admission/authenticate.ts';
import type { CompiledSecret, CompiledSnapshot } from '../../../../services/proxy/snapshot/compiled-snapshot.ts';
import { compileSnapshot, createKnownSecrets } from '../../../../services/proxy/snapshot/compiled-snapshot.ts';
import { createFailureLimiter } from '../../../../services/runtime/failure-limiter.ts';
import { systemRandom } from '../../../../services/runtime/random.ts';
import { testKey } from '../../../harness/proxy.ts';
import { testSecrets } from '../../../harness/registry.ts';

const nowMs = 1_000_000;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Well formed, and nobody's. */
function keyWithPublicPart(publicPart: string): string {
  return mintVirtualKey('ak', 'test', (count) => {
    const bytes = systemRandom.bytes(count).map((byte) => byte % 62);
    for (const [index, digit] of [...publicPart].entries()) bytes[index] = DIGITS.indexOf(digit);
    return bytes;
  });
}

/** An authenticator over these keys that writes down what it does for one request. */
function authenticatorOver(keys: readonly ReturnType<typeof testKey>[], isBlocked = () => false, now = () => nowMs) {
  const steps: string[] = [];
  const work = compileSnapshot(
    {
      revision: '1',
      readAtMs: 0,
      keys: keys.map(({ key }) => key),
      providers: [],
      models: [],
      dataKeys: [],
      credentials: [],
      routes: [],
      budgets: [],
      rateLimits: [],
      organizations: [],
    },
    { sheetOf: () => null, openCredentials: () => new Map(), known: createKnownSecrets() },
  );
  let step = work.next();
  while (step.done !== true) step = work.next();
  const compiled = step.value;
  const secrets: Pick<ReadonlyMap<string, CompiledSecret>, 'get'> = {
    get: (hash) => {
      steps.push(`look up ${hash.length}`);
      return compiled.secrets.get(hash);
    },
  };
  const snapshot: CompiledSnapshot = { ...compiled, secrets: Object.assign(new Map<string, CompiledSecret>(), secrets) };
  const authenticate = createAuthenticator({
    pepper: testSecrets.pepper,
    limiter: {
      blockedSeconds: () => {
        steps.push('limiter');
        return isBlocked() ? 7 : 0;
      },
      fail: () => {
        steps.push('failure');
      },
    },
    publicPartLimiter: createFailureLimiter({ clock: { now: () => 0, monotonic: () => 0 }, burst: 3, perSecond: 1 }),
  });
  const connection = {};
  return (secret: string): readonly [string, readonly string[]] => {
    steps.length = 0;
    const headers: IncomingHttpHeaders = { authorization: `Bearer ${secret}` };
    try {
      authenticate(headers, connection, '127.0.0.1', snapshot, now());
      return ['let in', [...steps]];
    } catch (error) {
      return [error instanceof Error && 'code' in error ? String(error.code) : 'thrown', [...steps]];
    }
  };
}

const bad = ['limiter', 'look up 43', 'failure'];

test('a key that is unknown, revoked, expired or disabled costs the same steps: one look at the limiter, one hash, one look-up, one failure', () => {
  const revoked = testKey({ revokedAt: nowMs - 1 });
  const expired = testKey({ expiresAt: nowMs });
  const disabled = testKey({ disabledAt: nowMs - 1 });
  const ask = authenticatorOver([revoked, expired, disabled]);
  for (let time = 0; time < 2; time++) {
    expect(ask(mintVirtualKey('ak', 'test', systemRandom.bytes))).toEqual(['invalid_api_key', bad]);
    expect(ask(revoked.secret)).toEqual(['key_revoked', bad]);
    expect(ask(expired.secret)).toEqual(['key_expired', bad]);
    expect(ask(disabled.secret)).toEqual(['key_disabled', bad]);
  }
});

test('a good key is let in until its last moment, and once known asks no limiter', () => {
  const good = testKey();
  const lastMoment = testKey({ expiresAt: nowMs + 1 });
  const ask = authenticatorOver([good, lastMoment]);
  for (const { secret } of [good, lastMoment]) {
    expect(ask(secret)).toEqual(['let in', ['limiter', 'look up 43']]);
    expect(ask(secret)).toEqual(['let in', ['look up 43']]);
  }
});

test('an address with too many bad keys is refused before anything is hashed; good keys are let in from there, known or not', () => {
  const good = testKey();
  const unseen = testKey();
  const revoked = testKey({ revokedAt: nowMs - 1 });
  let isBlocked = false;
  const ask = authenticatorOver([good, unseen, revoked], () => isBlocked);
  ask(good.secret);
  ask(revoked.secret);
  isBlocked = true;
  for (const secret of [mintVirtualKey('ak', 'test', systemRandom.bytes), revoked.secret, 'nonsense']) {
    expect(ask(secret)).toEqual(['rate_limit_exceeded', ['limiter']]);
  }
  expect(ask(good.secret)).toEqual(['let in', ['look up 43']]);
  expect(ask(unseen.secret)).toEqual(['let in', ['limiter', 'look up 43']]);
  expect(ask(unseen.secret)).toEqual(['let in', ['look up 43']]);
});

test('who knows the public part of a key may guess at it a few times from there, and locks out nobody who has the key', () => {
  const good = testKey();
  const ask = authenticatorOver([good], () => true);
  const guess = () => keyWithPublicPart(parseVirtualKey(good.secret)?.publicPart ?? '');
  expect(ask(good.secret)[0]).toBe('let in');
  for (let tries = 0; tries < 3; tries++) expect(ask(guess())).toEqual(['invalid_api_key', ['limiter', 'look up 43', 'failure']]);
  for (let tries = 0; tries < 3; tries++) expect(ask(guess())).toEqual(['rate_limit_exceeded', ['limiter']]);
  expect(ask(good.secret)).toEqual(['let in', ['look up 43']]);
});

test('a key that is refused is no longer among the known, so that it is limited like any other', () => {
  let now = nowMs;
  const ending = testKey({ expiresAt: nowMs + 1 });
  let isBlocked = false;
  const ask = authenticatorOver(
    [ending],
    () => isBlocked,
    () => now,
  );
  expect(ask(ending.secret)[0]).toBe('let in');
  now += 1;
  isBlocked = true;
  expect(ask(ending.secret)).toEqual(['key_expired', ['look up 43', 'failure']]);
  // The snapshot still has its public part, which is good for a few tries.
  for (let tries = 0; tries < 3; tries++) expect(ask(ending.secret)).toEqual(['key_expired', ['limiter', 'look up 43', 'failure']]);
  expect(ask(ending.secret)).toEqual(['rate_limit_exceeded', ['limiter']]);
});

test('what cannot be a key is not hashed at all', () => {
  const { secret } = testKey();
  const ask = authenticatorOver([]);
  const mistyped = `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`;
  for (const text of ['nonsense', mistyped, secret.slice(0, -1), `${secret}0`]) {
    expect(ask(text)).toEqual(['invalid_api_key', ['limiter', 'failure']]);
  }
});
