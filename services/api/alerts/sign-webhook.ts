import { createHmac } from 'node:crypto';

/**
 * The headers of a webhook by Standard Webhooks 1.0.0. Each key signs `<id>.<seconds>.<body>` with HMAC-SHA-256, so that while a secret is
 * rotated a receiver may know either.
 * @param message.id no dots; the same in every try, which is what a receiver tells repetitions by.
 * @param message.atMs when this try was begun, epoch milliseconds. @param message.body to the byte as it is sent.
 * @param keys newest first.
 */
export function signWebhook(
  message: { readonly id: string; readonly atMs: number; readonly body: string },
  keys: readonly Buffer[],
): { readonly 'webhook-id': string; readonly 'webhook-timestamp': string; readonly 'webhook-signature': string } {
  const seconds = String(Math.floor(message.atMs / 1_000));
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${message.id}.${seconds}.${message.body}`).digest('base64')}`,
  );
  return { 'webhook-id': message.id, 'webhook-timestamp': seconds, 'webhook-signature': signatures.join(' ') };
}
