import type { BudgetDefinition, BudgetLimit } from '../../values/budget.ts';

/** What is simulated, as it would be defined. */
export type SimulatedDefinition = Pick<BudgetDefinition, 'selector' | 'groupBy' | 'onUnpricedModel' | 'fallbackPrice'> & {
  readonly limits: readonly Omit<BudgetLimit, 'id'>[];
};

export interface BudgetSimulationQuestion {
  readonly definition: SimulatedDefinition;
  readonly from: Date;
  readonly to: Date;
  readonly topN: number;
}

/** Amounts are in the unit of the limit; costs are pico-USD, of what is known. */
export interface SimulatedLimitRow {
  readonly limit: Omit<BudgetLimit, 'id'>;
  readonly refused: number;
  readonly firstRefusedAt: Date | null;
  readonly peak: bigint;
  readonly windows: readonly {
    readonly startsAt: Date | null;
    readonly endsAt: Date | null;
    readonly used: bigint;
    readonly peak: bigint;
    readonly refused: number;
  }[];
  readonly windowsLeftOut: number;
}

export interface SimulatedGroupRow {
  /** In the order of `groupBy`; null for the rest. */
  readonly values: readonly (string | null)[] | null;
  readonly requests: number;
  readonly refused: number;
  readonly costPicoUsd: bigint;
  readonly refusedCostPicoUsd: bigint;
  readonly firstRefusedAt: Date | null;
}

export interface BudgetSimulationAnswer {
  readonly totals: SimulatedGroupRow;
  readonly refusedUnpriced: number;
  readonly unknown: number;
  /** Requests of then that were refused before anything was sent. */
  readonly refusedThen: number;
  readonly limits: readonly SimulatedLimitRow[];
  readonly groups: readonly SimulatedGroupRow[];
  /** From where on counting began: the windows that `from` is in. */
  readonly countedFrom: Date;
  /** Before it everything was seen. */
  readonly seenTo: Date;
  readonly truncated: boolean;
}

/** What a budget would have done to the viewer's organization's past requests. */
export interface BudgetSimulationReads {
  /** @throws GraphQLError `BAD_USER_INPUT` where the definition could not be one of a budget. */
  readonly simulate: (question: BudgetSimulationQuestion) => Promise<BudgetSimulationAnswer>;
}
