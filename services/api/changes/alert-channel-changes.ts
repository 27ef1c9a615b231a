import type { AlertChannelChanges } from '../../../schema/graphql/ports/alert-channels.ts';
import { archiveAlertChannel, createAlertChannel, rotateWebhookSecret, updateAlertChannel } from '../../registry/alerts/alert-channels.ts';
import { redeliverAlert, testAlertChannel } from '../../registry/alerts/alert-deliveries.ts';
import type { Secrets } from '../../runtime/secrets.ts';
import { requireIdempotencyKey, requireName } from './input-checks.ts';
import type { RunChange, Written } from './run-change.ts';

const written = (entityId: string, auditEventId: string): Written<null> => ({ entityId, row: null, auditEventId });

/** The changes of one viewer to where the organization's alerts go. */
export function createAlertChannelChanges(options: {
  readonly run: RunChange;
  /** uuid. */
  readonly organizationId: string;
  readonly secrets: Secrets;
}): AlertChannelChanges {
  const { run, organizationId, secrets } = options;
  const target = (id: string) => ({ type: 'AlertChannel', id }) as const;
  /** Tells two URLs apart in a kept request without keeping one, which may be a secret. */
  const told = (url: string | null | undefined) => (url == null ? url : secrets.hashKey(url).toString('base64url'));

  return {
    alertChannelCreate: ({ idempotencyKey, ...given }) => {
      const input = { ...given, name: requireName(given.name) };
      const kept = { ...input, url: told(input.url) };
      return run(
        { field: 'alertChannelCreate', idempotencyKey: requireIdempotencyKey(idempotencyKey), input: kept, organizationId, target: null },
        async (change) => {
          const { channel, secret, auditEventId } = await createAlertChannel(change, input, secrets);
          return { ...written(channel.id, auditEventId), ...(secret === null ? {} : { secret }) };
        },
      );
    },
    alertChannelUpdate: (given) => {
      const input = given.name === undefined ? given : { ...given, name: requireName(given.name) };
      return run(
        { field: 'alertChannelUpdate', idempotencyKey: null, input: null, organizationId, target: target(input.id) },
        async (change) => {
          const { channel, auditEventId } = await updateAlertChannel(change, input, secrets);
          return written(channel.id, auditEventId);
        },
      );
    },
    alertChannelArchive: (input) =>
      run({ field: 'alertChannelArchive', idempotencyKey: null, input, organizationId, target: target(input.id) }, async (change) => {
        const { channel, auditEventId } = await archiveAlertChannel(change, input);
        return written(channel.id, auditEventId);
      }),
    alertChannelTest: ({ idempotencyKey, ...input }) =>
      run(
        { field: 'alertChannelTest', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const { deliveryId, auditEventId } = await testAlertChannel(change, input);
          return written(deliveryId, auditEventId);
        },
      ),
    webhookSecretRotate: ({ idempotencyKey, ...input }) =>
      run(
        { field: 'webhookSecretRotate', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const { channel, secret, auditEventId } = await rotateWebhookSecret(change, input, secrets);
          return { ...written(channel.id, auditEventId), secret };
        },
      ),
    webhookRedeliver: ({ idempotencyKey, ...input }) =>
      run(
        { field: 'webhookRedeliver', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => written(input.id, (await redeliverAlert(change, input)).auditEventId),
      ),
  };
}
