import type { Kysely, Selectable } from 'kysely';
import type { BudgetAlertTable } from '../../../schema/tables/budget-alert.table.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { idFromUuid, mintUuid } from '../../../schema/values/ids.ts';
import { formatUsd } from '../../../schema/values/money.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import { CHANNEL_COLUMNS } from './alert-channels.ts';
import { deliveryRow } from './alert-deliveries.ts';
import type { AlertMessage } from './alert-message.ts';

/**
 * Hands one alert to every channel that wants alerts of its budget: a delivery each, and none twice. One transaction with the end of its
 * waiting: of several processes one does it, and one that dies leaves it to another.
 * @returns false where none waits.
 */
export function handOutAlert(db: Kysely<Database>, by: { readonly clock: Clock; readonly random: Random }): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const taken = await trx
      .deleteFrom('alerts_to_hand_out')
      .where('alert_id', '=', (waiting) =>
        waiting.selectFrom('alerts_to_hand_out').select('alert_id').orderBy('alert_id').limit(1).forUpdate().skipLocked(),
      )
      .returning('alert_id')
      .executeTakeFirst();
    if (taken === undefined) return false;
    const alert = await trx.selectFrom('budget_alerts').selectAll().where('id', '=', taken.alert_id).executeTakeFirstOrThrow();
    const channels = await trx
      .selectFrom('alert_channels')
      .select(CHANNEL_COLUMNS)
      .where('organization_id', '=', alert.organization_id)
      .where('archived_at', 'is', null)
      .orderBy('id')
      // Held against their end until this commits: who ends one puts aside every delivery that is pending.
      .forShare()
      .execute();
    const wanting = channels.filter(({ budget_ids }) => budget_ids === null || budget_ids.includes(alert.budget_id));
    if (wanting.length === 0) return true;
    const budget = await trx.selectFrom('budgets').select('name').where('id', '=', alert.budget_id).executeTakeFirstOrThrow();
    const message = messageOf(alert, budget.name);
    const at = new Date(by.clock.now());
    const mint = () => mintUuid(by.clock.now(), by.random.bytes(10));
    await trx
      .insertInto('alert_deliveries')
      .values(wanting.map((channel) => deliveryRow(channel, message, { id: mint(), at, alertId: alert.id })))
      .execute();
    return true;
  });
}

function messageOf(alert: Selectable<BudgetAlertTable>, budgetName: string): AlertMessage {
  const decimal = (amount: bigint): string => (alert.unit === 'usd' ? formatUsd(amount) : amount.toString());
  return {
    type: 'budget.threshold',
    at: alert.created_at,
    alert: { id: idFromUuid('budgetAlert', alert.id) },
    budget: { id: idFromUuid('budget', alert.budget_id), name: budgetName },
    limit: { unit: alert.unit, amount: decimal(alert.amount) },
    threshold: percentOf(alert.threshold_basis_points),
    settled: decimal(alert.settled),
    held: decimal(alert.held),
    group: groupOf(alert.group_key),
    windowStartsAt: alert.starts_at,
    windowEndsAt: alert.ends_at,
    projectedExhaustionAt: alert.projected_exhaustion_at,
  };
}

/** 9950 is `99.5`. */
function percentOf(basisPoints: number): string {
  const digits = String(basisPoints % 100)
    .padStart(2, '0')
    .replace(/0+$/, '');
  return `${Math.floor(basisPoints / 100)}${digits === '' ? '' : `.${digits}`}`;
}

/** The JSON list of a counter's values; null where it has none, or only their hash. */
function groupOf(key: string): readonly string[] | null {
  if (!key.startsWith('[')) return null;
  const values: unknown = JSON.parse(key);
  return Array.isArray(values) && values.every((value) => typeof value === 'string') ? values : null;
}
