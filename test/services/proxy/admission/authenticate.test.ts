import type { IncomingHttpHeaders } from 'node:http';
import { expect, test } from 'vitest';
import { mintVirtualKey } from '../../../../schema/values/virtual-key.ts';
import { createAuthenticator } from '../../../../services/proxy/admission/authenticate.ts';
import type { CompiledSecret, CompiledSnapshot } from '../../../../services/proxy/snapshot/compiled-snapshot.ts';
import { compileSnapshot } from '../../../../services/proxy/snapshot/compiled-snapshot.ts';
import { systemRandom } from '../../../../services/runtime/random.ts';
import { testKey } from '../../../harness/proxy.ts';
import { testSecrets } from '../../../harness/registry.ts';

const nowMs = 1_000_000;

/** An authenticator over these keys that writes down what it does for one request. */
function authenticatorOver(keys: readonly ReturnType<typeof testKey>[]) {
  const steps: string[] = [];
  const compiled = compileSnapshot(
    {
      revision: '1',
      readAtMs: 0,
      keys: keys.map(({ key }) => key),
      providers: [],
      models: [],
      dataKeys: [],
      credentials: [],
      routes: [],
    },
    { sheetOf: () => null, openCredentials: () => new Map() },
  );
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
        return 0;
      },
      fail: () => {},
    },
  });
  return (secret: string): readonly [string, readonly string[]] => {
    steps.length = 0;
    const headers: IncomingHttpHeaders = { authorization: `Bearer ${secret}` };
    try {
      authenticate(headers, '127.0.0.1', snapshot, nowMs);
      return ['let in', [...steps]];
    } catch (error) {
      return [error instanceof Error && 'code' in error ? String(error.code) : 'thrown', [...steps]];
    }
  };
}

test('a key that is unknown, revoked, expired, disabled or good costs the same steps: one look at the limiter, one hash, one look-up', () => {
  const good = testKey();
  const revoked = testKey({ revokedAt: nowMs - 1 });
  const expired = testKey({ expiresAt: nowMs });
  const disabled = testKey({ disabledAt: nowMs - 1 });
  const lastMoment = testKey({ expiresAt: nowMs + 1 });
  const ask = authenticatorOver([good, revoked, expired, disabled, lastMoment]);
  const steps = ['limiter', 'look up 43'];
  expect(ask(mintVirtualKey('ak', 'test', systemRandom.bytes))).toEqual(['invalid_api_key', steps]);
  expect(ask(revoked.secret)).toEqual(['key_revoked', steps]);
  expect(ask(expired.secret)).toEqual(['key_expired', steps]);
  expect(ask(disabled.secret)).toEqual(['key_disabled', steps]);
  expect(ask(good.secret)).toEqual(['let in', steps]);
  expect(ask(lastMoment.secret)).toEqual(['let in', steps]);
});

test('what cannot be a key is not hashed at all', () => {
  const { secret } = testKey();
  const ask = authenticatorOver([]);
  const mistyped = `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`;
  for (const text of ['nonsense', mistyped, secret.slice(0, -1), `${secret}0`]) expect(ask(text)).toEqual(['invalid_api_key', ['limiter']]);
});
