import type { Clock } from '../../runtime/clock.ts';
import type { Entropy } from '../settlement/entropy.ts';

const NONCE_BYTES = 12;

/**
 * A name for a beat that no other process gives to one of its own. Randomness is not enough: a machine that is copied while it runs has its copy draw the
 * same bytes, and as long as both draw as many of them, which idle ones do, either would take the other's beats for its own. The nanosecond it is
 * in tells them apart.
 */
export function createBeatNonce(entropy: Entropy, clock: Pick<Clock, 'monotonic'>): () => string {
  return () => `${entropy.take(NONCE_BYTES).toString('hex')}-${clock.monotonic()}`;
}
