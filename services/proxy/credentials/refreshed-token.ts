import type { Timers } from '../../eventlog/timers.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { AccessToken, FetchToken } from './access-token.ts';

export interface RefreshedTokenOptions {
  readonly fetchToken: FetchToken;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Told of each attempt that failed. */
  readonly onFailure: (error: unknown) => void;
}

/** An access token that is replaced before it expires, away from any request. */
export interface RefreshedToken {
  /** Null where there is none that lives: it was not got yet, or could not be replaced in time. */
  current(): string | null;
  /** Whether the last attempt failed; until one ended it has not. */
  isFailing(): boolean;
  stop(): void;
}

/** Long enough for a server that is slow to come back. */
const AHEAD_MS = 5 * 60_000;
/** Of a life that is shorter than most. */
const AHEAD_OF_LIFE = 0.2;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
const TIMEOUT_MS = 10_000;
/** What a timer can wait; a token that lives longer is replaced sooner. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

/**
 * Gets a token at once and another one five minutes before it expires (of a short life: when a fifth is left). An attempt has ten seconds and is repeated
 * after 1, 2, 4 … 30 s; meanwhile the old one stays, until it has expired.
 */
export function createRefreshedToken({ fetchToken, clock, timers, onFailure }: RefreshedTokenOptions): RefreshedToken {
  let held: AccessToken | null = null;
  let failures = 0;
  let stopped = false;
  let cancel = (): void => {};

  const refresh = async (): Promise<void> => {
    let waitMs: number;
    try {
      const token = await within(TIMEOUT_MS, fetchToken);
      held = token;
      failures = 0;
      const lifeMs = token.expiresAtMs - clock.now();
      waitMs = lifeMs - Math.min(AHEAD_MS, lifeMs * AHEAD_OF_LIFE);
    } catch (error) {
      waitMs = Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS);
      failures += 1;
      if (!stopped) onFailure(error);
    }
    if (!stopped) cancel = timers.after(Math.min(Math.max(waitMs, FIRST_RETRY_MS), LONGEST_WAIT_MS), () => void refresh());
  };
  void refresh();

  return {
    current: () => (held !== null && held.expiresAtMs > clock.now() ? held.token : null),
    isFailing: () => failures > 0,
    stop: () => {
      stopped = true;
      cancel();
    },
  };
}

/** Also where what is asked does not listen to the signal. */
async function within(timeoutMs: number, fetchToken: FetchToken): Promise<AccessToken> {
  const signal = AbortSignal.timeout(timeoutMs);
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`no answer within ${timeoutMs / 1_000} s`)));
  });
  return Promise.race([fetchToken(signal), late]);
}
