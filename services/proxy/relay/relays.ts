import { createCrowd } from './crowd.ts';
import { Relay } from './relay.ts';
import type { RelayCall, RelaySettings } from './relay-call.ts';

/** All relays under way. */
export interface Relays {
  /** Begins one. False when the spool takes nothing more. */
  start(request: RelayCall): boolean;
  /** Those under way, connections that are not yet let go of included. */
  size(): number;
  /** Requests without a settlement yet. */
  active(): number;
  /** Those among them whose client left. */
  draining(): number;
  /**
   * Waits until none is active, at most until the deadline, then ends the rest as they stand.
   * @returns how many had to be ended.
   */
  stop(deadlineMs: number, hurry: AbortSignal): Promise<number>;
}

const STOP_POLL_MS = 10;

/** Keeps the set of relays, and the one timer that looks after all of them. */
export function createRelays(settings: RelaySettings): Relays {
  const relays = createCrowd<Relay>();
  const onFinished = relays.delete;
  const timer = setInterval(() => {
    for (const relay of relays.members()) relay.tick();
  }, settings.limits.tickMs);
  timer.unref();

  const active = (): number => {
    let count = 0;
    for (const relay of relays.members()) if (!relay.isOver) count += 1;
    return count;
  };

  const draining = (): number => {
    let count = 0;
    for (const relay of relays.members()) if (relay.isDraining) count += 1;
    return count;
  };

  return {
    start: (request) => {
      const relay = new Relay(settings, request, onFinished);
      relays.add(relay);
      if (relay.start()) return true;
      relays.delete(relay);
      return false;
    },
    size: relays.size,
    active,
    draining,
    stop: async (deadlineMs, hurry) => {
      for (const relay of relays.members()) relay.closeAfterAnswer();
      const end = settings.clock.monotonic() + deadlineMs;
      while (active() > 0 && settings.clock.monotonic() < end && !hurry.aborted) {
        await new Promise<void>((resolve) => setTimeout(resolve, STOP_POLL_MS));
      }
      const left = active();
      for (const relay of relays.members()) relay.terminate();
      clearInterval(timer);
      return left;
    },
  };
}
