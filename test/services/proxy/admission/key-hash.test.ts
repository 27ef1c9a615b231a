import { createHmac, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKeyHash } from '../../../../services/proxy/admission/key-hash.ts';

test('is HMAC-SHA-256 for any key and any text, one after another', () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 130 }).map((bytes) => createSecretKey(bytes));
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ minLength: 150, maxLength: 700 }));
  fc.assert(
    fc.property(key, fc.array(text, { minLength: 1, maxLength: 5 }), (pepper, texts) => {
      const keyHash = createKeyHash(pepper);
      for (const one of texts) expect(keyHash(one)).toBe(createHmac('sha256', pepper).update(one).digest('base64url'));
    }),
  );
});
