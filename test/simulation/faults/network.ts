import type { Dice } from '../dice.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Counts } from './counts.ts';

/** What the network does to an exchange, as chances; all 0 is a network without faults. */
export interface NetworkFaults {
  /** The request is lost. */
  drop: number;
  /** The request arrives, the answer does not. */
  cutAfterAccept: number;
  /** The asker is told of a failure, and the request arrives all the same, later, behind younger ones. */
  late: number;
  /** Everything takes up to this much longer. */
  delayMs: number;
}

/** The network between processes and what they talk to. Nothing on it is answered in less than a fraction of a millisecond. */
export interface Network {
  readonly faults: NetworkFaults;
  /** Machines that reach nobody, by name. */
  readonly cutOff: Set<string>;
  /** One question and its answer. @throws what `act` throws, or that the connection failed: then nobody knows whether `act` ran. */
  exchange<Result>(machine: string, what: string, act: () => Result): Promise<Result>;
  /** One way, in milliseconds. */
  latencyMs(): number;
  heal(): void;
}

/** How long an asker waits whose request or answer is lost without a word. */
const SILENCE_MS = 15_000;
const LATE_MS = 40_000;

export class ConnectionFailed extends Error {
  override readonly name = 'ConnectionFailed';
}

export function createNetwork(options: { readonly scheduler: Scheduler; readonly dice: Dice; readonly counts: Counts }): Network {
  const { scheduler, dice, counts } = options;
  const faults: NetworkFaults = { drop: 0, cutAfterAccept: 0, late: 0, delayMs: 0 };
  const cutOff = new Set<string>();
  const latencyMs = (): number => dice.between(0.05, 1) + dice.between(0, faults.delayMs);
  const wait = (delayMs: number, what: string): Promise<void> =>
    new Promise((resolve) => {
      scheduler.after(delayMs, what, resolve);
    });
  /** A failure is noticed at once, by a reset, or not before the asker's patience ends. */
  const fail = async (what: string): Promise<never> => {
    await wait(dice.chance(0.7) ? latencyMs() : SILENCE_MS, `${what} lost`);
    throw new ConnectionFailed(`${what}: the connection failed`);
  };

  return {
    faults,
    cutOff,
    latencyMs,
    async exchange(machine, what, act) {
      if (cutOff.has(machine)) {
        counts.add('network: machine cut off');
        return fail(what);
      }
      if (dice.chance(faults.drop)) {
        counts.add('network: request dropped');
        return fail(what);
      }
      if (dice.chance(faults.late)) {
        counts.add('network: request delayed beyond its answer');
        scheduler.after(dice.between(0, LATE_MS), `${what} arrives late`, () => {
          try {
            act();
          } catch {
            // Nobody waits for this answer.
          }
        });
        return fail(what);
      }
      await wait(latencyMs(), `${what} arrives`);
      const result = act();
      if (cutOff.has(machine) || dice.chance(faults.cutAfterAccept)) {
        counts.add('network: cut after accept');
        return fail(what);
      }
      await wait(latencyMs(), `${what} answered`);
      return result;
    },
    heal: () => {
      Object.assign(faults, { drop: 0, cutAfterAccept: 0, late: 0, delayMs: 0 });
      cutOff.clear();
    },
  };
}
