import type { BudgetWindow } from '../../../schema/values/budget.ts';

/** The window of a limit as its row has it. */
export interface StoredWindow {
  readonly window_kind: BudgetWindow['kind'];
  readonly window_zone: string;
  readonly window_anchor: string;
  readonly window_seconds: bigint | null;
}

export function windowOf({
  window_kind: kind,
  window_zone: zone,
  window_anchor: anchor,
  window_seconds: seconds,
}: StoredWindow): BudgetWindow {
  if (kind === 'lifetime') return { kind };
  return kind === 'rolling' ? { kind, seconds: Number(seconds) } : { kind, zone, anchor };
}
