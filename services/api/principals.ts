import type { Kysely } from 'kysely';
import type { Viewer } from '../../schema/graphql/context.ts';
import type { Database } from '../../schema/tables/database.ts';
import { parseVirtualKey } from '../../schema/values/virtual-key.ts';
import { findPrincipal } from '../registry/admin-access.ts';
import { readRevision } from '../registry/read-snapshot.ts';
import { createAddressList } from '../runtime/address-list.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Secrets } from '../runtime/secrets.ts';

/** Who a presented key is, `elsewhere` where it may not be used from. Only admin keys may use this API: a model key is told so, and all else is refused alike. */
export type Principal =
  | { readonly kind: 'known'; readonly viewer: Viewer }
  | { readonly kind: 'unknown' | 'expired' | 'revoked' | 'disabled' | 'not_admin' | 'elsewhere' };

/** Follows one key for as long as something long-lived depends on it. */
export interface PrincipalWatch {
  readonly current: () => Principal;
  readonly onChange: (callback: () => void) => () => void;
  readonly release: () => void;
}

export interface Principals {
  /** `address` is the client's; empty where it is not known. */
  readonly find: (presented: string, address: string) => Promise<Principal>;
  /** `known` is what `find` just said. */
  readonly watch: (presented: string, address: string, known: Principal) => PrincipalWatch;
  /** What keeps the registry from being read, for a person; null while it can be. */
  readonly trouble: () => string | null;
  readonly stop: () => Promise<void>;
}

interface Watched {
  readonly presented: string;
  principal: Principal;
  users: number;
  readonly callbacks: Set<() => void>;
}

/** Longest that an answer is believed without asking again. */
const believedMs = 5_000;
/** How often the registry's revision is read: a quarter of the second in which a revoked key must be out. */
const pollMs = 250;
const mostRemembered = 10_000;

/**
 * Looks keys up, remembers the answers for 5 s, and forgets them all as soon as anything in the registry changes: a revoked
 * key is out within a second, also where it holds a stream open. Keys are remembered by their hash.
 * @param options.db in role `writer`: the reader's role may not see hashes.
 */
export function createPrincipals(options: {
  readonly db: Kysely<Database>;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
}): Principals {
  const { db, secrets, clock, log } = options;
  const remembered = new Map<string, { readonly found: Promise<Principal>; readonly atMs: number }>();
  const watched = new Map<string, Watched>();
  let revision: string | null = null;
  let stopped = false;
  let trouble: string | null = null;
  let polling: Promise<void> | null = null;
  let lastCheckMs = clock.monotonic();

  const lookUp = async (presented: string): Promise<Principal> => {
    const found = await findPrincipal(db, presented, secrets, clock.now());
    if (found.kind !== 'known') return { kind: found.kind };
    if (found.keyKind !== 'adm') return { kind: 'not_admin' };
    const { apiKeyId, organizationId, name, permissions, expiresAt, allowedCidrs } = found;
    return { kind: 'known', viewer: { apiKeyId, organizationId, name, permissions, expiresAt, allowedCidrs } };
  };

  const find = (presented: string): Promise<Principal> => {
    const face = parseVirtualKey(presented);
    // Nothing is asked about what cannot be a key: that is what most wrong keys are.
    if (face === null) return Promise.resolve({ kind: 'unknown' });
    const hash = secrets.hashKey(presented).toString('base64url');
    const known = remembered.get(hash);
    if (known !== undefined && clock.monotonic() - known.atMs < believedMs) return known.found;
    remembered.delete(hash);
    const oldest = remembered.size >= mostRemembered ? remembered.keys().next().value : undefined;
    if (oldest !== undefined) remembered.delete(oldest);
    const found = lookUp(presented);
    remembered.set(hash, { found, atMs: clock.monotonic() });
    found.catch(() => remembered.get(hash)?.found === found && remembered.delete(hash));
    return found;
  };

  const check = async (entry: Watched): Promise<void> => {
    const principal = await lookUp(entry.presented);
    const same = JSON.stringify(principal) === JSON.stringify(entry.principal);
    entry.principal = principal;
    if (!same) for (const callback of entry.callbacks) callback();
  };

  const checkWatched = async (): Promise<void> => {
    for (const entry of watched.values()) await check(entry);
    lastCheckMs = clock.monotonic();
  };

  const poll = async (): Promise<void> => {
    const now = await readRevision(db);
    if (now !== revision) {
      // A look-up that is under way may have begun before the change: it is forgotten with the rest.
      remembered.clear();
      await checkWatched();
      // Only now: where a check failed, the next poll does it again.
      revision = now;
    } else if (clock.monotonic() - lastCheckMs >= believedMs) {
      // Keys also end by themselves, when their time is up.
      await checkWatched();
    }
  };

  const timer = setInterval(() => {
    if (stopped || polling !== null) return;
    polling = poll()
      .then(() => {
        trouble = null;
      })
      .catch((error: unknown) => {
        // Said once, not four times a second.
        if (trouble === null) log.warn({ error }, "the registry's revision could not be read");
        trouble = 'the database cannot be read';
      })
      .finally(() => {
        polling = null;
      });
  }, pollMs);

  return {
    find: async (presented, address) => seenFrom(await find(presented), address),
    watch: (presented, address, known) => {
      const hash = secrets.hashKey(presented).toString('base64url');
      let entry = watched.get(hash);
      if (entry === undefined) {
        entry = { presented, principal: known, users: 0, callbacks: new Set() };
        watched.set(hash, entry);
        // Something may have changed between the look-up and now, when no poll knew of this key.
        check(entry).catch((error: unknown) => log.warn({ error }, 'a key could not be looked up again'));
      }
      const own = entry;
      own.users += 1;
      let released = false;
      return {
        current: () => seenFrom(own.principal, address),
        onChange: (callback) => {
          own.callbacks.add(callback);
          return () => own.callbacks.delete(callback);
        },
        release: () => {
          if (released) return;
          released = true;
          own.users -= 1;
          if (own.users === 0) watched.delete(hash);
        },
      };
    },
    trouble: () => trouble,
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await polling;
    },
  };
}

/** A good key is none where it may not be used. */
function seenFrom(principal: Principal, address: string): Principal {
  if (principal.kind !== 'known') return principal;
  const { allowedCidrs } = principal.viewer;
  return allowedCidrs === null || createAddressList(allowedCidrs).includes(address) ? principal : { kind: 'elsewhere' };
}
