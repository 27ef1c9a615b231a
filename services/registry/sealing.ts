import type { KeyObject } from 'node:crypto';
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '../runtime/random.ts';

const ALGORITHM = 'aes-256-gcm';
/** 96 random bits: one key may seal 2^32 times before two nonces are likely to meet (NIST SP 800-38D section 8.3). */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What was sealed cannot be opened: another key, another place, or altered bytes. It says nothing of the content. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/**
 * Encrypts with AES-256-GCM. `place` says where the result belongs and is authenticated with it, so that it opens nowhere else.
 * @returns nonce, ciphertext and tag.
 */
export function seal(key: KeyObject, plaintext: Buffer, place: string, random: Random): Buffer {
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(place, 'utf8'));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Decrypts what {@link seal} made for the same place under the same key. @throws {SealError} */
export function unseal(key: KeyObject, sealed: Buffer, place: string): Buffer {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new SealError(`${place}: too short to be sealed`);
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(place, 'utf8'));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
  } catch {
    throw new SealError(`${place}: sealed for another place, under another key, or altered`);
  }
}
