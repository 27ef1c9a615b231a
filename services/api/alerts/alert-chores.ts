import type { Kysely } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import { handOutAlert } from '../../registry/alerts/hand-out-alert.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { Secrets } from '../../runtime/secrets.ts';
import { startChore } from '../chore.ts';
import { startForgetting } from '../forgetting.ts';
import { startDelivering } from './deliver-alerts.ts';
import { createDeliveryQueue } from './delivery-queue.ts';
import { forgetDeliveries } from './forget-deliveries.ts';
import type { AlertSenders } from './send-alert.ts';
import { createSendAlert } from './send-alert.ts';
import type { SendOutcome } from './send-outcome.ts';

/** Hands alerts out to their channels and delivers them, as long as it runs. @param options.db in role `writer`. @param options.observe told of each try. */
export function startAlertChores(options: {
  readonly db: Kysely<Database>;
  readonly senders: AlertSenders;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly observe: (kind: SendOutcome['kind']) => void;
}): { readonly stop: () => Promise<void> } {
  const { db, senders, secrets, clock, random, log, observe } = options;
  const by = { clock, random };
  const send = createSendAlert({ senders, secrets, clock });
  const delivering = startDelivering({ queue: createDeliveryQueue({ db, ...by }), send, observe, log });
  const handingOut = startChore({
    takeOne: async () => {
      const isTaken = await handOutAlert(db, by);
      if (isTaken) delivering.wake();
      return isTaken;
    },
    trouble: 'alerts could not be handed out to their channels',
    log,
  });
  const forgetting = startForgetting({
    forget: () => forgetDeliveries(db, clock.now()),
    trouble: 'old deliveries of alerts could not be deleted',
    log,
  });
  return {
    stop: async () => {
      await Promise.all([handingOut.stop(), forgetting.stop(), delivering.stop()]);
    },
  };
}
