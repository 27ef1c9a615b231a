import type { Clock } from '../../runtime/clock.ts';
import type { FetchIdentity, HeldIdentity } from './aws-credential.ts';

/** How long before its end an identity is replaced. */
const AHEAD_MS = 5 * 60_000;
const TIMEOUT_MS = 10_000;
/** After a failure nobody is asked again at once: for so long the old one is used on … */
const RETRY_MS = 5_000;
/** … or requests are refused, where there is none: each of them would ask. */
const RETRY_WITHOUT_MS = 1_000;

/**
 * Holds what signs for AWS. Only the first request waits for it, and one after a silence in which it expired; within five minutes of its end it is
 * replaced while requests go on with it. What could not be got is asked for again after a while, by the next request.
 */
export function createHeldIdentity(
  fetchIdentity: FetchIdentity,
  clock: Clock,
  onFailure: (error: unknown) => void,
): () => Promise<HeldIdentity> {
  let held: HeldIdentity | null = null;
  let coming: Promise<HeldIdentity> | null = null;
  let failed: { readonly error: unknown; readonly at: number } | null = null;

  const fetch = (): Promise<HeldIdentity> => {
    coming ??= within(TIMEOUT_MS, fetchIdentity()).then(
      (identity) => {
        held = identity;
        coming = null;
        failed = null;
        return identity;
      },
      (error: unknown) => {
        coming = null;
        failed = { error, at: clock.monotonic() };
        onFailure(error);
        throw error;
      },
    );
    return coming;
  };

  return async () => {
    const leftMs = held === null ? 0 : held.expiration === undefined ? Number.POSITIVE_INFINITY : held.expiration.getTime() - clock.now();
    const failedForMs = failed === null ? Number.POSITIVE_INFINITY : clock.monotonic() - failed.at;
    if (held === null || leftMs <= 0) {
      if (failedForMs < RETRY_WITHOUT_MS) throw failed?.error;
      return fetch();
    }
    // Whoever comes meanwhile is signed for with the old one.
    if (leftMs < AHEAD_MS && failedForMs >= RETRY_MS) void fetch().catch(() => {});
    return held;
  };
}

async function within<Value>(timeoutMs: number, promise: Promise<Value>): Promise<Value> {
  let cancel = (): void => {};
  const late = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no identity within ${timeoutMs / 1_000} s`)), timeoutMs);
    cancel = () => clearTimeout(timer);
  });
  return Promise.race([promise, late]).finally(cancel);
}
