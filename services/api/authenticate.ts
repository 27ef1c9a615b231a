import type { Viewer } from '../../schema/graphql/context.ts';
import type { Clock } from '../runtime/clock.ts';
import type { KeyUses } from './key-uses.ts';
import type { Principal, Principals } from './principals.ts';

/** Why somebody is not let in; the first three lines say all that may be said. */
export interface Refusal {
  readonly status: 401 | 403 | 429 | 503;
  readonly code: 'UNAUTHENTICATED' | 'FORBIDDEN' | 'THROTTLED' | 'SERVICE_UNAVAILABLE';
  readonly message: string;
  /** What the key was, for closing sockets; null where there was none to look at. */
  readonly principal: Principal | null;
}

export type Authentication =
  | { readonly kind: 'known'; readonly viewer: Viewer; readonly principal: Principal; readonly presented: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export type Authenticate = (authorization: string | undefined, address: string) => Promise<Authentication>;

const bearer = /^Bearer ([!-~]{1,200})$/i;
/** Wrong keys an address may try in a minute; beyond it none is looked at. */
const mostFailures = 60;
const windowMs = 60_000;
const mostAddresses = 10_000;

const unauthenticated = 'Send an admin key as `Authorization: Bearer tpk_adm_…`. This one is missing, unknown, expired or revoked.';

/** Lets admin keys in. Model keys are told what they are; every other wrong key gets the same answer. */
export function createAuthenticate(options: {
  readonly principals: Principals;
  readonly clock: Clock;
  /** Told of each use of an admin key. */
  readonly uses: Pick<KeyUses, 'note'>;
  readonly onRefusal: (code: Refusal['code']) => void;
}): Authenticate {
  const { principals, clock, uses, onRefusal } = options;
  const failures = new Map<string, { count: number; readonly sinceMs: number }>();

  const failuresOf = (address: string): number => {
    const entry = failures.get(address);
    if (entry === undefined) return 0;
    if (clock.monotonic() - entry.sinceMs < windowMs) return entry.count;
    failures.delete(address);
    return 0;
  };
  const countFailure = (address: string): void => {
    const entry = failures.get(address);
    if (entry !== undefined) {
      entry.count += 1;
      return;
    }
    const oldest = failures.size >= mostAddresses ? failures.keys().next().value : undefined;
    if (oldest !== undefined) failures.delete(oldest);
    failures.set(address, { count: 1, sinceMs: clock.monotonic() });
  };
  const refuse = (status: Refusal['status'], code: Refusal['code'], message: string, principal: Principal | null): Authentication => {
    onRefusal(code);
    return { kind: 'refused', refusal: { status, code, message, principal } };
  };

  return async (authorization, address) => {
    const presented = bearer.exec(authorization ?? '')?.[1];
    if (presented === undefined) return refuse(401, 'UNAUTHENTICATED', unauthenticated, null);
    if (failuresOf(address) >= mostFailures)
      return refuse(429, 'THROTTLED', 'Too many wrong keys came from this address. Try again in a minute.', null);
    let principal: Principal;
    try {
      principal = await principals.find(presented, address);
    } catch {
      return refuse(503, 'SERVICE_UNAVAILABLE', 'Keys cannot be looked up right now.', null);
    }
    if (principal.kind === 'known') {
      uses.note(principal.viewer.apiKeyId);
      return { kind: 'known', viewer: principal.viewer, principal, presented };
    }
    countFailure(address);
    if (principal.kind === 'not_admin') {
      return refuse(403, 'FORBIDDEN', 'This key calls models, not this API. Use an admin key, `tpk_adm_…`.', principal);
    }
    if (principal.kind === 'elsewhere') return refuse(403, 'FORBIDDEN', 'This key may not be used from this address.', principal);
    return refuse(401, 'UNAUTHENTICATED', unauthenticated, principal);
  };
}
