import type { KeyObject } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { ErrorCode } from '../../../schema/errors.ts';
import { GatewayError } from '../../../schema/errors.ts';
import type { VirtualKeyFace } from '../../../schema/values/virtual-key.ts';
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

/**
 * Finds who presents a key. @throws {GatewayError} saying why it is refused.
 * @param connection that it came over.
 */
export type Authenticate = (
  headers: IncomingHttpHeaders,
  connection: object,
  address: string,
  snapshot: CompiledSnapshot,
  nowMs: number,
) => CompiledKey;

/** A text that was presented as a key, and what follows from it alone, good or bad. */
interface Presented {
  readonly text: string;
  /** Null where it has not the shape of a key. */
  readonly face: VirtualKeyFace | null;
  /** Public part and checksum. */
  readonly fingerprint: string;
  /** HMAC; null until it is needed. */
  hash: string | null;
}

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

  // A client sends the same key again and again: what was worked out of it is kept for as long as its connection, whatever came of it,
  // so that good keys and bad ones cost the same.
  const lastPresented = new WeakMap<object, Presented>();
  const read = (text: string, connection: object): Presented => {
    const last = lastPresented.get(connection);
    if (last !== undefined && last.text === text) return last;
    const face = parseVirtualKey(text);
    const fingerprint = face === null ? '' : face.publicPart + text.slice(-LENGTH_OF_CHECKSUM);
    const presented = { text, face, fingerprint, hash: null };
    lastPresented.set(connection, presented);
    return presented;
  };

  const refuse = (address: string, code: ErrorCode): never => {
    limiter.fail(address);
    throw new GatewayError(code);
  };

  return (headers, connection, address, snapshot, nowMs) => {
    const text = presentedKey(headers);
    const presented = text === null ? null : read(text, connection);
    const face = presented?.face ?? null;
    const isKnown = presented !== null && knownFaces.has(presented.fingerprint);
    const blockedSeconds = isKnown ? 0 : limiter.blockedSeconds(address);
    const isTrial = blockedSeconds > 0 && face !== null && mayTry(face.publicPart, snapshot);
    if (blockedSeconds > 0 && !isTrial) {
      throw new GatewayError('rate_limit_exceeded', {
        message: 'Too many requests with keys that are not valid came from this address.',
        retryAfterSeconds: blockedSeconds,
      });
    }
    if (presented === null || face === null) return refuse(address, 'invalid_api_key');
    presented.hash ??= keyHash(presented.text);
    const secret = snapshot.secrets.get(presented.hash);
    const refusal = secret === undefined ? 'invalid_api_key' : keyRefusal(secret.key, secret, nowMs);
    if (secret === undefined || refusal !== null) {
      // A guess that looks like a good key must not make that key forgotten: it may be what keeps it going in a burst.
      if (secret !== undefined) knownFaces.delete(presented.fingerprint);
      if (isTrial) publicPartLimiter.fail(face.publicPart);
      return refuse(address, refusal ?? 'invalid_api_key');
    }
    if (!isKnown) remember(presented.fingerprint);
    return secret.key;
  };
}
