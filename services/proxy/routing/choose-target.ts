import type { CompiledModel } from '../snapshot/compiled-snapshot.ts';

/** Where a request goes: targets in the order in which they are tried, and why. */
export interface RouteDecision {
  readonly targets: readonly [CompiledModel, ...CompiledModel[]];
  /** Stands in the event, so that every answer can be explained. */
  readonly reason: string;
}

/** Orders the targets of a request. A model asked for by name has exactly one: itself. */
export function chooseTarget(modelRequested: string, model: CompiledModel): RouteDecision {
  return { targets: [model], reason: model.name === modelRequested ? 'named' : 'only_offer' };
}
