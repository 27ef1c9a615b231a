import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { AlertChannelReads } from '../../../schema/graphql/ports/alert-channels.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { CHANNEL_COLUMNS } from '../../registry/alerts/alert-channels.ts';
import { inCreationOrder, inOrderOf, readPage } from './keyset.ts';
import type { TenantRead } from './tenant-read.ts';

/** Reads of one organization's alert channels, and of what was sent through them. */
export function createAlertChannelReads(read: TenantRead, organizationId: string): AlertChannelReads {
  const channels = (trx: Kysely<Database>) =>
    trx.selectFrom('alert_channels').select(CHANNEL_COLUMNS).where('organization_id', '=', organizationId);
  const deliveries = (trx: Kysely<Database>) =>
    trx.selectFrom('alert_deliveries').selectAll().where('organization_id', '=', organizationId);

  return {
    alertChannelsById: (ids) => read(async (trx) => inOrderOf(ids, await channels(trx).where('id', 'in', ids).execute(), (row) => row.id)),
    alertChannels: (page, { includeArchived }) =>
      read((trx) => readPage(includeArchived ? channels(trx) : channels(trx).where('archived_at', 'is', null), page, inCreationOrder)),
    alertDeliveriesById: (ids) =>
      read(async (trx) => inOrderOf(ids, await deliveries(trx).where('id', 'in', ids).execute(), (row) => row.id)),
    alertDeliveries: (page, { channelId, alertId, states }) =>
      read((trx) => {
        let query = deliveries(trx);
        if (channelId !== null) query = query.where('channel_id', '=', channelId);
        if (alertId !== null) query = query.where('alert_id', '=', alertId);
        if (states !== null) query = query.where(sql<boolean>`state = any(${states}::text[])`);
        return readPage(query, page, { column: null, id: 'id', descending: true });
      }),
    deliveriesOfAlerts: (alertIds) =>
      read(async (trx) => {
        const ofAlert = Map.groupBy(
          await deliveries(trx).where('alert_id', 'in', alertIds).orderBy('channel_id').execute(),
          ({ alert_id: alertId }) => alertId,
        );
        return alertIds.map((id) => ofAlert.get(id) ?? []);
      }),
    attemptsOfDeliveries: (deliveryIds) =>
      read(async (trx) => {
        const rows = await trx
          .selectFrom('alert_delivery_attempts')
          .selectAll()
          .where('delivery_id', 'in', deliveryIds)
          // Row-level security says so as well.
          .where('delivery_id', 'in', (own) =>
            own.selectFrom('alert_deliveries').select('id').where('organization_id', '=', organizationId),
          )
          .orderBy('attempt')
          .execute();
        return deliveryIds.map((id) => rows.filter((row) => row.delivery_id === id));
      }),
  };
}
