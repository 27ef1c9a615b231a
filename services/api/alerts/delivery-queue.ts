import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import type { AlertChannelKind } from '../../../schema/values/alert-channel.ts';
import { disableFailingChannel } from '../../registry/alerts/alert-deliveries.ts';
import { nextTryAfterMs } from '../../registry/alerts/retry-schedule.ts';
import type { Change } from '../../registry/change.ts';
import type { SealedDataKey } from '../../registry/data-keys.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import type { SendOutcome } from './send-outcome.ts';

/** A try that has begun: its row says so, and nobody else begins one until `claimMs` have passed. Ids are uuids. */
export interface BegunTry {
  readonly deliveryId: string;
  readonly attempt: number;
  readonly tries: number;
  readonly mostTries: number;
  readonly startedAt: Date;
  readonly subject: string | null;
  readonly body: string;
  readonly channel: {
    readonly id: string;
    readonly organizationId: string;
    readonly kind: AlertChannelKind;
    readonly url: string | null;
    readonly recipients: readonly string[] | null;
    readonly sealed: Buffer | null;
    /** Null where none is in grace. */
    readonly previousSealed: Buffer | null;
    readonly dataKey: SealedDataKey | null;
  };
}

export interface DeliveryQueue {
  /**
   * Begins the try that is due longest; null where none is. In one transaction: of several processes one begins it.
   * @param busy channels and organizations that have enough under way.
   */
  readonly begin: (busy: { readonly channels: readonly string[]; readonly organizations: readonly string[] }) => Promise<BegunTry | null>;
  /** Books how a try ended. A row that another try was begun of meanwhile, or that was put aside, keeps its state. */
  readonly end: (begun: BegunTry, outcome: SendOutcome) => Promise<void>;
  /** Takes a try back that was cut off because this process ends: it is due at once, and has cost nothing. */
  readonly giveBack: (begun: BegunTry) => Promise<void>;
}

/** Longer than any try takes. A process that dies over one leaves it to be begun again after that: at least once, under the same id. */
const claimMs = 120_000;

/** @param options.db in role `writer`. */
export function createDeliveryQueue(options: {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly random: Random;
}): DeliveryQueue {
  const { db, clock, random } = options;
  return {
    begin: ({ channels, organizations }) =>
      db.transaction().execute(async (trx) => {
        const startedAt = new Date(clock.now());
        const begun = await trx
          .updateTable('alert_deliveries')
          .set({
            next_at: new Date(startedAt.getTime() + claimMs),
            // A try that nobody ended counts, and never keeps the last from being made.
            tries: sql<number>`least(tries + 1, most_tries)`,
            attempts: sql<number>`attempts + 1`,
          })
          .where('id', '=', (due) =>
            due
              .selectFrom('alert_deliveries')
              .select('id')
              .where('state', '=', 'pending')
              .where('next_at', '<=', startedAt)
              .where(sql<boolean>`channel_id <> all(${channels}::uuid[]) and organization_id <> all(${organizations}::uuid[])`)
              .orderBy('next_at')
              .limit(1)
              .forUpdate()
              .skipLocked(),
          )
          .returning(['id', 'channel_id', 'attempts', 'tries', 'most_tries', 'subject', 'body'])
          .executeTakeFirst();
        if (begun === undefined) return null;
        const { id: deliveryId, attempts: attempt } = begun;
        await trx
          .insertInto('alert_delivery_attempts')
          .values({ delivery_id: deliveryId, attempt, started_at: startedAt, ended_at: null, status: null, error: null })
          .execute();
        const channel = await readChannel(trx, begun.channel_id, startedAt);
        const { tries, most_tries: mostTries, subject, body } = begun;
        return { deliveryId, attempt, tries, mostTries, startedAt, subject, body, channel };
      }),
    end: (begun, outcome) =>
      db.transaction().execute(async (trx) => {
        // The channel first and the delivery after, as everybody does.
        const channel = await trx
          .selectFrom('alert_channels')
          .select(['failing_since'])
          .where('id', '=', begun.channel.id)
          .forUpdate()
          .executeTakeFirstOrThrow();
        const now = new Date(clock.now());
        const isDelivered = outcome.kind === 'delivered';
        await trx
          .updateTable('alert_delivery_attempts')
          .set({ ended_at: now, status: outcome.status, error: isDelivered ? outcome.note : outcome.error })
          .where('delivery_id', '=', begun.deliveryId)
          .where('attempt', '=', begun.attempt)
          .execute();
        const asked = outcome.kind === 'failed' ? outcome.retryAfterMs : null;
        const waitMs = isDelivered || outcome.kind === 'gone' ? null : nextTryAfterMs(begun.tries, begun.mostTries, asked, random);
        const state = isDelivered ? 'delivered' : waitMs === null ? 'failed' : 'pending';
        const isOver = state !== 'pending';
        const { numUpdatedRows } = await trx
          .updateTable('alert_deliveries')
          .set({ state, next_at: waitMs === null ? null : new Date(now.getTime() + waitMs), finished_at: isOver ? now : null })
          .where('id', '=', begun.deliveryId)
          .where('state', '=', 'pending')
          .where('attempts', '=', begun.attempt)
          .executeTakeFirst();
        // Somebody tries a channel out, or its server is the installation's own: that says nothing against it.
        if (begun.mostTries === 1 || outcome.kind === 'not_sent') return;
        const failingSince = isDelivered ? null : (channel.failing_since ?? begun.startedAt);
        if (failingSince?.getTime() !== channel.failing_since?.getTime()) {
          await trx.updateTable('alert_channels').set({ failing_since: failingSince }).where('id', '=', begun.channel.id).execute();
        }
        if (numUpdatedRows === 0n || failingSince === null) return;
        const change = systemChange(trx, begun.channel.organizationId, { clock, random });
        if (outcome.kind === 'gone') await disableFailingChannel(change, begun.channel.id, 'gone');
        else if (state === 'failed' && (await roundBeganAt(trx, begun)) >= failingSince)
          await disableFailingChannel(change, begun.channel.id, 'undeliverable');
      }),
    giveBack: (begun) =>
      db.transaction().execute(async (trx) => {
        const now = new Date(clock.now());
        await trx
          .updateTable('alert_deliveries')
          .set({ next_at: now, tries: sql<number>`tries - 1` })
          .where('id', '=', begun.deliveryId)
          .where('state', '=', 'pending')
          .where('attempts', '=', begun.attempt)
          .execute();
        await trx
          .updateTable('alert_delivery_attempts')
          .set({ ended_at: now, error: 'The gateway was stopped meanwhile.' })
          .where('delivery_id', '=', begun.deliveryId)
          .where('attempt', '=', begun.attempt)
          .execute();
      }),
  };
}

async function readChannel(trx: Transaction<Database>, channelId: string, now: Date): Promise<BegunTry['channel']> {
  const row = await trx
    .selectFrom('alert_channels')
    .leftJoin('data_keys', 'data_keys.id', 'alert_channels.data_key_id')
    .select(['alert_channels.id', 'alert_channels.organization_id', 'kind', 'url', 'recipients', 'alert_channels.sealed'])
    .select([
      'previous_sealed',
      'previous_ends_at',
      'data_keys.id as key_id',
      'data_keys.organization_id as key_of',
      'data_keys.sealed as key',
    ])
    .where('alert_channels.id', '=', channelId)
    .executeTakeFirstOrThrow();
  const {
    id,
    organization_id: organizationId,
    kind,
    url,
    recipients,
    sealed,
    previous_sealed,
    previous_ends_at,
    key_id,
    key_of,
    key,
  } = row;
  return {
    id,
    organizationId,
    kind,
    url,
    recipients,
    sealed,
    previousSealed: previous_ends_at !== null && previous_ends_at > now ? previous_sealed : null,
    dataKey: key_id === null || key_of === null || key === null ? null : { id: key_id, organization_id: key_of, sealed: key },
  };
}

/** When the first of this round's tries was begun. */
async function roundBeganAt(trx: Transaction<Database>, { deliveryId, attempt, tries }: BegunTry): Promise<Date> {
  const first = await trx
    .selectFrom('alert_delivery_attempts')
    .select('started_at')
    .where('delivery_id', '=', deliveryId)
    .where('attempt', '>', attempt - tries)
    .orderBy('attempt')
    .limit(1)
    .executeTakeFirstOrThrow();
  return first.started_at;
}

function systemChange(trx: Transaction<Database>, organizationId: string, by: { readonly clock: Clock; readonly random: Random }): Change {
  return {
    trx,
    organizationId,
    actor: { kind: 'system', id: 'alert-deliveries', name: 'the delivery of alerts' },
    origin: { requestId: null, address: null, userAgent: null },
    ...by,
  };
}
