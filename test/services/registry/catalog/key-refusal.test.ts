import { expect, test } from 'vitest';
import { keyRefusal } from '../../../../services/registry/catalog/key-refusal.ts';

const open = { expiresAt: null, revokedAt: null };
const key = { ...open, disabledAt: null };

test.each([
  ['nothing', key, open, null],
  ['a revoked key', { ...key, revokedAt: 1 }, open, 'key_revoked'],
  ['a revoked secret', key, { ...open, revokedAt: 1 }, 'key_revoked'],
  ['an expired key', { ...key, expiresAt: 100 }, open, 'key_expired'],
  ['an expired secret', key, { ...open, expiresAt: 100 }, 'key_expired'],
  ['a key that expires later', { ...key, expiresAt: 101 }, { ...open, expiresAt: 101 }, null],
  ['a disabled key', { ...key, disabledAt: 1 }, open, 'key_disabled'],
  ['a key that is revoked, expired and disabled', { revokedAt: 1, expiresAt: 1, disabledAt: 1 }, open, 'key_revoked'],
])('%s is refused as what it is', (_what, of, secret, refusal) => {
  expect(keyRefusal(of, secret, 100)).toBe(refusal);
});
