import { createHmac } from 'node:crypto';
import { GatewayError } from '../../../schema/errors.ts';
import type { Secrets } from '../../runtime/secrets.ts';

/** What is stored of a key and of a body: neither can be guessed from it without the installation's master key. */
export interface KeyHashes {
  /** Of an application's key, within its API key. 32 bytes. */
  ofKey(apiKeyId: string, key: string): Buffer;
  /** Of what a body says, piece by piece: all of it as it came (decompressed), or the parts of a form. 32 bytes. */
  ofBody(endpoint: string, pieces: readonly Buffer[]): Buffer;
}

/** HMAC-SHA-256 under a key of its own each. */
export function createKeyHashes(deriveKey: Secrets['deriveKey']): KeyHashes {
  const keys = deriveKey('idempotency-keys/1');
  const bodies = deriveKey('idempotency-bodies/1');
  return {
    ofKey: (apiKeyId, key) => createHmac('sha256', keys).update(`${apiKeyId}\n${key}`).digest(),
    ofBody: (endpoint, pieces) => {
      const hash = createHmac('sha256', bodies).update(`${endpoint}\n`);
      // Where one piece ends and the next begins is part of what is said.
      if (pieces.length > 1) hash.update(`${pieces.map(({ length }) => length).join()}\n`);
      for (const piece of pieces) hash.update(piece);
      return hash.digest();
    },
  };
}

const KEY = /^[\x20-\x7e]{1,255}$/;

/** The key of a request. @throws {GatewayError} `header_not_allowed`, which does not repeat it. */
export function readIdempotencyKey(header: string | readonly string[]): string {
  if (typeof header === 'string' && KEY.test(header)) return header;
  throw new GatewayError('header_not_allowed', {
    message: "Header 'idempotency-key': expected 1 to 255 printable ASCII characters.",
    param: 'idempotency-key',
  });
}
