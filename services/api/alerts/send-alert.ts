import { idFromUuid } from '../../../schema/values/ids.ts';
import { openForChannel } from '../../registry/alerts/channel-secret.ts';
import { webhookKey } from '../../registry/alerts/webhook-secret.ts';
import { openDataKey } from '../../registry/data-keys.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Secrets } from '../../runtime/secrets.ts';
import type { BegunTry } from './delivery-queue.ts';
import type { HttpSender } from './http-sender.ts';
import type { MailSender } from './mail-sender.ts';
import type { SendOutcome } from './send-outcome.ts';
import { signWebhook } from './sign-webhook.ts';

/** What messages leave the gateway through. */
export interface AlertSenders {
  readonly http: HttpSender;
  /** Null where the installation has no mail server. */
  readonly mail: MailSender | null;
}

export type SendAlert = (begun: BegunTry, signal: AbortSignal) => Promise<SendOutcome>;

/**
 * Sends one message the way of its channel. What the channel keeps secret is opened for this moment only.
 * The sending throws {@link SealError} where a row was altered, and what `signal` was aborted with.
 */
export function createSendAlert(options: { readonly senders: AlertSenders; readonly secrets: Secrets; readonly clock: Clock }): SendAlert {
  const { senders, secrets, clock } = options;

  const opened = ({ channel }: BegunTry, sealed: Buffer): string => {
    if (channel.dataKey === null || channel.dataKey.organization_id !== channel.organizationId)
      throw new Error('a channel has no key of its own');
    return openForChannel(openDataKey(channel.dataKey, secrets.deriveKey), sealed, idFromUuid('alertChannel', channel.id));
  };

  return async (begun, signal) => {
    const { channel, body } = begun;
    const { kind, url, sealed, previousSealed, recipients } = channel;
    const id = idFromUuid('alertDelivery', begun.deliveryId);
    if (kind === 'email') {
      if (senders.mail === null)
        return { kind: 'not_sent', status: null, error: 'This installation has no mail server (TURNPIKE_SMTP_URL).' };
      return senders.mail.send({ id, to: recipients ?? [], subject: begun.subject ?? '', text: body }, signal);
    }
    // Erased when the channel was archived, a moment ago.
    if (sealed === null || url === null) return { kind: 'not_sent', status: null, error: 'The channel is archived.' };
    if (kind === 'slack') return senders.http.post(opened(begun, sealed), {}, body, signal);
    const keys = [sealed, ...(previousSealed === null ? [] : [previousSealed])].map((one) => webhookKey(opened(begun, one)));
    return senders.http.post(url, signWebhook({ id, atMs: clock.now(), body }, keys), body, signal);
  };
}
