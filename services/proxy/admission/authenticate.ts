import type { KeyObject } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { ErrorCode } from '../../../schema/errors.ts';
import { GatewayError } from '../../../schema/errors.ts';
import { parseVirtualKey } from '../../../schema/values/virtual-key.ts';
import { keyRefusal } from '../../registry/catalog/key-refusal.ts';
import type { FailureLimiter } from '../../runtime/failure-limiter.ts';
import type { CompiledKey, CompiledSnapshot } from '../snapshot/compiled-snapshot.ts';
import { createKeyHash } from './key-hash.ts';
import { presentedKey } from './presented-key.ts';

export interface AuthenticatorOptions {
  /** HMAC key of the stored hashes. */
  readonly pepper: KeyObject;
  /** Of bad keys, by address. */
  readonly limiter: Pick<FailureLimiter, 'blockedSeconds' | 'fail'>;
  /** Of bad keys from addresses that have too many, by the public part of a real key that each shows. */
  readonly publicPartLimiter: Pick<FailureLimiter, 'blockedSeconds' | 'fail'>;
  /** Keys remembered as good, see below; beyond it the oldest is forgotten. */
  readonly maxKnownFaces?: number;
}

/** Finds who presents a key. @throws {GatewayError} saying why it is refused. */
export type Authenticate = (headers: IncomingHttpHeaders, address: string, snapshot: CompiledSnapshot, nowMs: number) => CompiledKey;

const LENGTH_OF_CHECKSUM = 6;

/**
 * Shape and checksum, then one HMAC, then one Map lookup; no I/O, no await (graphql.md section 8).
 * Only a key whose HMAC matched learns that it is expired, revoked or disabled; any other is `invalid_api_key`.
 * An address that presented too many bad keys, be they unknown, revoked, expired or disabled, is refused before anything is hashed. But many
 * clients may share one address, and one of them must not lock out the rest. So a key that was good when last seen is let in from there, told by
 * its public part and checksum, which say nothing about the secret; and one that shows the public part of a key there is may try, a few times:
 * it may be new, or this process may be.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const { pepper, limiter, publicPartLimiter, maxKnownFaces = 10_000 } = options;
  const keyHash = createKeyHash(pepper);
  const knownFaces = new Set<string>();

  const remember = (face: string): void => {
    if (knownFaces.size >= maxKnownFaces) {
      const [oldest] = knownFaces;
      if (oldest !== undefined) knownFaces.delete(oldest);
    }
    knownFaces.add(face);
  };

  const mayTry = (publicPart: string, snapshot: CompiledSnapshot): boolean =>
    publicPartLimiter.blockedSeconds(publicPart) === 0 && snapshot.publicParts().has(publicPart);

  const refuse = (address: string, code: ErrorCode): never => {
    limiter.fail(address);
    throw new GatewayError(code);
  };

  return (headers, address, snapshot, nowMs) => {
    const presented = presentedKey(headers);
    const face = presented === null ? null : parseVirtualKey(presented);
    const fingerprint = presented === null || face === null ? null : face.publicPart + presented.slice(-LENGTH_OF_CHECKSUM);
    const isKnown = fingerprint !== null && knownFaces.has(fingerprint);
    const blockedSeconds = isKnown ? 0 : limiter.blockedSeconds(address);
    const isTrial = blockedSeconds > 0 && face !== null && mayTry(face.publicPart, snapshot);
    if (blockedSeconds > 0 && !isTrial) {
      throw new GatewayError('rate_limit_exceeded', {
        message: 'Too many requests with keys that are not valid came from this address.',
        retryAfterSeconds: blockedSeconds,
      });
    }
    if (presented === null || fingerprint === null) return refuse(address, 'invalid_api_key');
    const secret = snapshot.secrets.get(keyHash(presented));
    const refusal = secret === undefined ? 'invalid_api_key' : keyRefusal(secret.key, secret, nowMs);
    if (secret === undefined || refusal !== null) {
      // A guess that looks like a good key must not make that key forgotten: it may be what keeps it going in a burst.
      if (secret !== undefined) knownFaces.delete(fingerprint);
      if (isTrial) publicPartLimiter.fail(face.publicPart);
      return refuse(address, refusal ?? 'invalid_api_key');
    }
    if (!isKnown) remember(fingerprint);
    return secret.key;
  };
}
