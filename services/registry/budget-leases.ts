import { sql } from 'kysely';
import type { BudgetUnit } from '../../schema/values/budget.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { Change } from './change.ts';
import { RegistryError, recordAct } from './change.ts';
import { INSTALLATION_ID } from './seed.ts';

/** One lease: what one boot of a proxy was given of a counter. Ids are uuids. */
export interface LeaseName {
  readonly counterId: string;
  readonly proxyId: string;
  readonly epoch: bigint;
}

/**
 * A person closes a lease that is lost or unproven: its room becomes what was spent, at least what is booked, and the rest can be leased again.
 * What turns up later is an overrun (reference/leases.md section 3).
 * @param input.spent in whole units of the limit. @param input.reason stands in the audit log and in the log of the leases.
 * @returns what came free, in that unit, and the budget. @throws RegistryError `not_found`; `invalid` where only the proxy itself may.
 */
export async function releaseLease(
  change: Change,
  input: LeaseName & { readonly spent: (unit: BudgetUnit) => bigint; readonly reason: string },
): Promise<{ budgetId: string; unit: BudgetUnit; freed: bigint; auditEventId: string }> {
  const { counterId, proxyId, epoch, reason } = input;
  const counter = await change.trx
    .selectFrom('budget_counters')
    .innerJoin('budget_limits', 'budget_limits.id', 'limit_id')
    .innerJoin('budgets', 'budgets.id', 'budget_id')
    .select(['budgets.id', 'name', 'window_key', sql<BudgetUnit>`unit`.as('unit')])
    .where('budget_counters.id', '=', counterId)
    .where('budget_counters.organization_id', '=', change.organizationId)
    .executeTakeFirst();
  if (counter === undefined) throw new RegistryError('not_found', 'There is no such state of a budget.', ['stateId']);
  const spent = input.spent(counter.unit);
  if (spent < 0n) throw new RegistryError('invalid', 'What was spent is not negative.', ['spent']);
  const { rows } = await sql<{ readonly status: 'released' | 'unknown' | 'living' | 'reconciling'; readonly freed: bigint }>`
    select * from lease_release(${proxyId}, ${counterId}, ${epoch}, ${spent}, ${reason})`.execute(change.trx);
  const { status, freed } = rows[0] ?? { status: 'unknown', freed: 0n };
  if (status === 'unknown') throw new RegistryError('not_found', 'There is no such lease.', ['nodeId']);
  if (status === 'living') {
    throw new RegistryError('invalid', 'Its proxy is not lost and can prove what it spent: it gives back itself what is free.', ['nodeId']);
  }
  if (status === 'reconciling') {
    throw new RegistryError('invalid', 'The database was restored: wait until every proxy has told what it holds.', []);
  }
  const auditEventId = await recordAct(change, {
    action: 'budget.lease_release',
    targets: [
      { type: 'budget', id: idFromUuid('budget', counter.id), name: counter.name },
      { type: 'proxy', id: idFromUuid('node', proxyId), name: `epoch ${epoch}` },
    ],
    changes: [
      { field: 'spent', from: null, to: spent.toString() },
      { field: 'freed', from: null, to: freed.toString() },
      { field: 'counter', from: null, to: `${idFromUuid('counter', counterId)} ${counter.window_key}` },
      { field: 'releaseReason', from: null, to: reason },
    ],
  });
  return { budgetId: counter.id, unit: counter.unit, freed, auditEventId };
}

/**
 * Says that a proxy and its disk are gone: what it holds of any organization's budgets is shown as lost from now on, and can be released. A proxy
 * that turns up again takes it back. The act stands in the installation's log.
 * @throws RegistryError `not_found`.
 */
export async function declareProxyLost(
  change: Change,
  { proxyId, reason }: { readonly proxyId: string; readonly reason: string },
): Promise<{ auditEventId: string }> {
  const { rows } = await sql<{ readonly status: 'lost' | 'unknown' }>`select lease_declare_lost(${proxyId}) as status`.execute(change.trx);
  if (rows[0]?.status !== 'lost') throw new RegistryError('not_found', 'There is no such proxy.', ['nodeId']);
  const auditEventId = await recordAct(
    { ...change, organizationId: INSTALLATION_ID },
    {
      action: 'proxy.declare_lost',
      targets: [{ type: 'proxy', id: idFromUuid('node', proxyId), name: '' }],
      changes: [{ field: 'lossReason', from: null, to: reason }],
    },
  );
  return { auditEventId };
}
