import { expect, test } from 'vitest';
import type { CompiledSnapshot } from '../../../../services/proxy/snapshot/compiled-snapshot.ts';
import { compileSnapshot, createKnownSecrets } from '../../../../services/proxy/snapshot/compiled-snapshot.ts';
import type { SnapshotKey } from '../../../../services/registry/snapshot.ts';
import { testKey } from '../../../harness/proxy.ts';

test('a key that has not changed is compiled once, one that has is compiled again, and one that is gone is forgotten', () => {
  const known = createKnownSecrets();
  const compile = (keys: readonly SnapshotKey[]): CompiledSnapshot => {
    const empty = { providers: [], models: [], dataKeys: [], credentials: [], routes: [], budgets: [], rateLimits: [], organizations: [] };
    const options = { sheetOf: () => null, openCredentials: () => new Map(), known };
    const work = compileSnapshot({ revision: '1', readAtMs: 0, keys, ...empty }, options);
    let step = work.next();
    while (step.done !== true) step = work.next();
    return step.value;
  };
  const [same, changed, gone] = [testKey().key, testKey().key, testKey().key];
  const secretOf = ({ secrets }: CompiledSnapshot, key: SnapshotKey) => secrets.get(key.secrets[0]?.hash ?? '');
  const first = compile([same, changed, gone]);
  const second = compile([same, { ...changed, disabledAt: 1 }]);
  expect(secretOf(second, same)).toBe(secretOf(first, same));
  expect(secretOf(first, changed)?.key.disabledAt).toBeNull();
  expect(secretOf(second, changed)?.key.disabledAt).toBe(1);
  expect(secretOf(second, gone)).toBeUndefined();
  expect([...known.byKey.keys()]).toEqual([same.id, changed.id]);
});
