import type { HoldWanted } from '../../../services/proxy/admission/leases/lease-state.ts';
import type { PlannedHold } from '../../../services/proxy/budgets/budget-holds.ts';
import type { CompiledBudget } from '../../../services/proxy/budgets/compiled-budgets.ts';
import { createLimit } from '../../leases/mirror/limits.ts';
import type { LeaseDatabase } from '../../leases/mirror/tables.ts';
import type { Dice } from '../dice.ts';

/** What a request of an organization holds of each limit of its budget. */
export type SimulatedBudgets = {
  /** Empty where the organization has no budget. */
  readonly holdsOf: (organizationUuid: string) => readonly PlannedHold[];
};

/** Nearly all answers cost less; what costs more is paid from the lease's free room, or reported as an overrun. */
const holdPico = 40_000_000_000n;

const budget: CompiledBudget = {
  kind: 'budget',
  id: 'bud_simulated',
  enforcement: 'enforce',
  selector: [],
  except: null,
  groupBy: [],
  limits: [],
  shared: [],
  warnsFrom: null,
  downgradeTo: null,
  onUnpricedModel: 'allow',
  fallbackPrice: null,
};

/** Money for ever and requests by the window for each organization: so little that proxies compete for it, or so much that they do not. */
export function createSimulatedBudgets(dice: Dice, tables: LeaseDatabase, organizations: readonly string[]): SimulatedBudgets {
  const byOrganization = new Map<string, readonly PlannedHold[]>();
  for (const [place, organization] of organizations.entries()) {
    const money: HoldWanted = { limit: `money${place}`, group: '', amount: holdPico };
    const requests: HoldWanted = { limit: `requests${place}`, group: '', amount: 1n };
    createLimit(tables, money.limit, holdPico * BigInt(dice.pick([8, 40, 400])) + BigInt(dice.below(1_000_000)));
    const window = { kind: 'fixed' as const, length_ms: dice.pick([2_000, 15_000, 60_000]) };
    createLimit(tables, requests.limit, BigInt(dice.pick([10, 60, 1_000])), window);
    byOrganization.set(organization, [
      { ...money, budget, unit: 'usd', counter: '' },
      { ...requests, budget, unit: 'requests', counter: '' },
    ]);
  }
  return { holdsOf: (organization) => byOrganization.get(organization) ?? [] };
}
