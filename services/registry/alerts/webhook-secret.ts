import type { Random } from '../../runtime/random.ts';

const PREFIX = 'whsec_';
/** Standard Webhooks 1.0.0 wants 24 to 64. */
const SECRET_BYTES = 32;

/** A new signing secret as it is shown: `whsec_` and base64. */
export function mintWebhookSecret(random: Random): string {
  return `${PREFIX}${random.bytes(SECRET_BYTES).toString('base64')}`;
}

/** The bytes that sign. @throws Error where the text is no secret; it says nothing of the text. */
export function webhookKey(secret: string): Buffer {
  const key = secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.alloc(0);
  if (key.length < 24 || key.length > 64) throw new Error('this is no secret of a webhook');
  return key;
}
