import type { Log } from '../../runtime/log.ts';
import type { BegunTry, DeliveryQueue } from './delivery-queue.ts';
import type { SendAlert } from './send-alert.ts';
import type { SendOutcome } from './send-outcome.ts';

export interface AlertDelivering {
  /** Something was just left to send. */
  readonly wake: () => void;
  /** Begins nothing more; what is under way has a moment to end, and is given back otherwise. */
  readonly stop: () => Promise<void>;
}

/** Everything due is looked for so often: what another process left, what was waited for. */
const everyMs = 1_000;
/** Sent at once by this process, by all for one organization, and to one channel: neither a receiver that hangs nor a tenant with many holds up the others. */
const mostAtOnce = 16;
const mostOfOrganization = 4;
const mostOfChannel = 2;
/** For what is under way when the process ends. */
const graceMs = 3_000;

/**
 * Sends what is due, as long as it runs. Every api does so: each try is begun by one of them. What cannot be booked afterwards is sent again,
 * under the same id.
 * @param options.observe told of each try that ended.
 */
export function startDelivering(options: {
  readonly queue: DeliveryQueue;
  readonly send: SendAlert;
  readonly observe: (kind: SendOutcome['kind']) => void;
  readonly log: Log;
}): AlertDelivering {
  const { queue, send, observe, log } = options;
  const ended = new AbortController();
  const underWay = new Map<BegunTry, Promise<void>>();
  let filling: Promise<void> | null = null;
  let isWoken = false;
  let isStopped = false;
  let isTroubled = false;

  const busy = () => {
    const tries = [...underWay.keys()].map(({ channel }) => channel);
    const atLeast = (ids: readonly string[], most: number) =>
      [...new Set(ids)].filter((id) => ids.filter((one) => one === id).length >= most);
    return {
      channels: atLeast(
        tries.map(({ id }) => id),
        mostOfChannel,
      ),
      organizations: atLeast(
        tries.map(({ organizationId }) => organizationId),
        mostOfOrganization,
      ),
    };
  };
  const carryOut = async (begun: BegunTry): Promise<void> => {
    try {
      const outcome = await send(begun, ended.signal).catch((error: unknown): SendOutcome => {
        ended.signal.throwIfAborted();
        log.error({ error, deliveryId: begun.deliveryId }, 'an alert could not be made ready to be sent');
        return { kind: 'not_sent', status: null, error: 'The gateway could not make it ready to be sent.' };
      });
      observe(outcome.kind);
      await queue.end(begun, outcome);
    } catch (error) {
      if (ended.signal.aborted) await queue.giveBack(begun).catch(() => {});
      else log.warn({ error, deliveryId: begun.deliveryId }, 'how an alert was delivered could not be booked; it is sent again');
    } finally {
      underWay.delete(begun);
      wake();
    }
  };
  const fill = async (): Promise<void> => {
    while (!isStopped && underWay.size < mostAtOnce) {
      isWoken = false;
      const begun = await queue.begin(busy());
      isTroubled = false;
      if (begun === null) {
        if (isWoken) continue;
        return;
      }
      underWay.set(begun, carryOut(begun));
    }
  };
  const run = (): void => {
    if (isStopped) return;
    filling ??= fill()
      .catch((error: unknown) => {
        // Said once, not every second.
        if (!isTroubled) log.warn({ error }, 'alerts that are due could not be looked for; trying again');
        isTroubled = true;
      })
      .finally(() => {
        filling = null;
      });
  };
  const wake = (): void => {
    isWoken = true;
    run();
  };
  const timer = setInterval(run, everyMs);

  return {
    wake,
    stop: async () => {
      isStopped = true;
      clearInterval(timer);
      await filling;
      const cut = setTimeout(() => ended.abort(new Error('the gateway is stopped')), graceMs);
      await Promise.all(underWay.values());
      clearTimeout(cut);
    },
  };
}
