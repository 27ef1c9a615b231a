import { expect, test } from 'vitest';
import { signWebhook } from '../../../../services/api/alerts/sign-webhook.ts';
import { mintWebhookSecret, webhookKey } from '../../../../services/registry/alerts/webhook-secret.ts';
import { systemRandom } from '../../../../services/runtime/random.ts';

/** Of our own reference (Standard Webhooks 1.0.0): key = bytes 00 to 1f. */
const counted = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
const vector = {
  id: 'msg_1',
  atMs: 1_767_225_600_000,
  body: '{"type":"budget.threshold","timestamp":"2026-01-01T00:00:00Z","data":{"id":"bud_1"}}',
};
const signature = 'v1,G+4cn8BMEiOob2HiU+Jik8IzextCi7Ngz41rGec2Uf8=';

test('a webhook is signed as Standard Webhooks 1.0.0 says, to the byte', () => {
  expect(signWebhook(vector, [counted])).toEqual({
    'webhook-id': 'msg_1',
    'webhook-timestamp': '1767225600',
    'webhook-signature': signature,
  });
});

test("the specification's own example has the signature that its libraries give", () => {
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', atMs: 1_614_265_330_999, body: '{"test": 2432232314}' };
  const key = webhookKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  expect(signWebhook(message, [key])['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('while a secret is rotated the newest signs first and the former one after it, in one header', () => {
  const [first, second, ...rest] = signWebhook(vector, [Buffer.alloc(32, 9), counted])['webhook-signature'].split(' ');
  expect([first?.startsWith('v1,'), second, rest]).toEqual([true, signature, []]);
});

test('a secret that is shown holds 32 random bytes and is read back as them', () => {
  const secret = mintWebhookSecret({ ...systemRandom, bytes: () => counted });
  expect(secret).toBe('whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=');
  expect(webhookKey(secret)).toEqual(counted);
  for (const text of ['AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=', 'whsec_', 'whsec_c2hvcnQ=']) {
    expect(() => webhookKey(text)).toThrow(/^this is no secret of a webhook$/);
  }
});
