import type { KeyObject } from 'node:crypto';
import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Longer than any key; a longer text is hashed in a buffer of its own. */
const SCRATCH_BYTES = 512;

/**
 * HMAC-SHA-256 under one key, in base64url, as two one-shot hashes over the key's pads (RFC 2104, section 2). The same as
 * `createHmac`, which makes objects with native memory behind them for every request: 8 µs of it in the proxy against 2.
 */
export function createKeyHash(key: KeyObject): (text: string) => string {
  const secret = key.export();
  const block = Buffer.alloc(BLOCK_BYTES);
  (secret.length > BLOCK_BYTES ? hash('sha256', secret, 'buffer') : secret).copy(block);
  const inner = Buffer.alloc(BLOCK_BYTES + SCRATCH_BYTES);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  for (const [index, byte] of block.entries()) {
    inner[index] = byte ^ 0x36;
    outer[index] = byte ^ 0x5c;
  }
  block.fill(0);
  secret.fill(0);

  return (text) => {
    // In UTF-8 a unit of a text has at most three bytes.
    const input =
      text.length * 3 <= SCRATCH_BYTES
        ? inner.subarray(0, BLOCK_BYTES + inner.write(text, BLOCK_BYTES))
        : Buffer.concat([inner.subarray(0, BLOCK_BYTES), Buffer.from(text, 'utf8')]);
    // By way of a text: a buffer for the result would cost more than the hash.
    outer.write(hash('sha256', input, 'hex'), BLOCK_BYTES, 'hex');
    return hash('sha256', outer, 'base64url');
  };
}
