import type { Viewer } from '../../schema/graphql/context.ts';
import { parseVirtualKey } from '../../schema/values/virtual-key.ts';
import type { Clock } from '../runtime/clock.ts';
import { createFailureLimiter } from '../runtime/failure-limiter.ts';
import type { KeyUses } from './key-uses.ts';
import type { Principal, Principals } from './principals.ts';

/** Why somebody is not let in; the first three lines say all that may be said. */
export interface Refusal {
  readonly status: 401 | 403 | 429 | 503;
  readonly code: 'UNAUTHENTICATED' | 'FORBIDDEN' | 'THROTTLED' | 'SERVICE_UNAVAILABLE';
  readonly message: string;
  /** What the key was, for closing sockets; null where there was none to look at. */
  readonly principal: Principal | null;
  /** Of a 429, when to come again. */
  readonly retryAfterSeconds: number | null;
}

export type Authentication =
  | { readonly kind: 'known'; readonly viewer: Viewer; readonly principal: Principal; readonly presented: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export type Authenticate = (authorization: string | undefined, address: string) => Promise<Authentication>;

const bearer = /^Bearer ([!-~]{1,200})$/i;
/** Wrong keys an address may try at once, and one more a second; beyond it none is looked at. */
const WRONG_KEYS = { burst: 60, perSecond: 1 };

/** Keys remembered as good; beyond it the one that was so first is forgotten. */
const MOST_KNOWN_FACES = 1_000;
const LENGTH_OF_CHECKSUM = 6;

const unauthenticated = 'Send an admin key as `Authorization: Bearer tpk_adm_…`. This one is missing, unknown, expired or revoked.';

/**
 * Lets admin keys in. Model keys are told what they are; every other wrong key gets the same answer. An address with too many wrong keys is
 * refused before anything is hashed, except for keys that were good when last seen, told by their public part and checksum.
 */
export function createAuthenticate(options: {
  readonly principals: Pick<Principals, 'find'>;
  readonly clock: Clock;
  /** Told of each use of an admin key. */
  readonly uses: Pick<KeyUses, 'note'>;
  readonly onRefusal: (code: Refusal['code']) => void;
}): Authenticate {
  const { principals, clock, uses, onRefusal } = options;
  const limiter = createFailureLimiter({ clock, ...WRONG_KEYS });
  const knownFaces = new Set<string>();

  const remember = (face: string): void => {
    const [oldest] = knownFaces.size >= MOST_KNOWN_FACES ? knownFaces : [];
    if (oldest !== undefined) knownFaces.delete(oldest);
    knownFaces.add(face);
  };

  const refuse = (
    status: Refusal['status'],
    code: Refusal['code'],
    message: string,
    principal: Principal | null,
    retryAfterSeconds: number | null = null,
  ): Authentication => {
    onRefusal(code);
    return { kind: 'refused', refusal: { status, code, message, principal, retryAfterSeconds } };
  };

  return async (authorization, address) => {
    const presented = bearer.exec(authorization ?? '')?.[1];
    if (presented === undefined) return refuse(401, 'UNAUTHENTICATED', unauthenticated, null);
    const face = faceOf(presented);
    const isKnown = face !== null && knownFaces.has(face);
    const blockedSeconds = isKnown ? 0 : limiter.blockedSeconds(address);
    if (blockedSeconds > 0) return refuse(429, 'THROTTLED', 'Too many wrong keys came from this address.', null, blockedSeconds);
    // Recorded before it is known, and taken back where it was none: of many at once no more are looked up than may fail.
    limiter.fail(address);
    let principal: Principal;
    try {
      principal = await principals.find(presented, address);
    } catch {
      limiter.forgive(address);
      return refuse(503, 'SERVICE_UNAVAILABLE', 'Keys cannot be looked up right now.', null);
    }
    if (principal.kind === 'known') {
      limiter.forgive(address);
      if (face !== null && !isKnown) remember(face);
      uses.note(principal.viewer.apiKeyId);
      return { kind: 'known', viewer: principal.viewer, principal, presented };
    }
    // A guess that looks like a good key must not make that key forgotten.
    if (face !== null && principal.kind !== 'unknown') knownFaces.delete(face);
    if (principal.kind === 'not_admin') {
      return refuse(403, 'FORBIDDEN', 'This key calls models, not this API. Use an admin key, `tpk_adm_…`.', principal);
    }
    if (principal.kind === 'elsewhere') return refuse(403, 'FORBIDDEN', 'This key may not be used from this address.', principal);
    return refuse(401, 'UNAUTHENTICATED', unauthenticated, principal);
  };
}

function faceOf(presented: string): string | null {
  const face = parseVirtualKey(presented);
  return face === null ? null : face.publicPart + presented.slice(-LENGTH_OF_CHECKSUM);
}
