import { GatewayError } from '../../../schema/errors.ts';
import type { Catalog, CatalogModel, Choice, Decision, SkippedTarget } from './catalog.ts';
import { modelNamed, routeNamed } from './catalog.ts';
import { chooseTarget } from './choose-target.ts';
import type { KeyPolicy } from './resolve-model.ts';
import { resolveModel } from './resolve-model.ts';

/** A target with how often it is taken, out of {@link DryRun.weightSum}. */
export interface WeighedTarget<Sheet> {
  readonly target: CatalogModel<Sheet>;
  readonly weight: number;
}

/** What a name leads to. */
export interface DryRun<Sheet> {
  /** What a request would be refused with; null = it would be sent to one of the targets. */
  readonly refusal: GatewayError | null;
  /** `rte_…`; null = the name is no route. */
  readonly routeId: string | null;
  /** Of the first target; those of the others differ in nothing but their target. */
  readonly decision: Decision<Sheet> | null;
  readonly targets: readonly WeighedTarget<Sheet>[];
  /** Of the targets; 0 where there is none. */
  readonly weightSum: number;
  /** By position in the route. */
  readonly skipped: readonly SkippedTarget[];
  /** The one of the targets that the request's id draws; null where there is none to draw by. */
  readonly drawn: WeighedTarget<Sheet> | null;
}

/** Decides as the proxy does, for a request that is not made, and tells what was considered. */
export function dryRun<Sheet>(catalog: Catalog<Sheet>, key: KeyPolicy, model: string, requestId: string | null): DryRun<Sheet> {
  const route = modelNamed(catalog, model) === undefined ? routeNamed(catalog, model) : undefined;
  const place = { routeId: route?.id ?? null, skipped: route?.skipped ?? [] };
  try {
    const choice = resolveModel(catalog, key, model);
    const targets = weighed(choice);
    const drawn = requestId === null ? -1 : choice.decisions.indexOf(chooseTarget(choice, requestId));
    return {
      ...place,
      refusal: null,
      decision: choice.decisions[0],
      targets,
      weightSum: choice.weightSums.at(-1) ?? 0,
      drawn: targets[drawn] ?? null,
    };
  } catch (refusal) {
    if (!(refusal instanceof GatewayError)) throw refusal;
    return { ...place, refusal, decision: null, targets: [], weightSum: 0, drawn: null };
  }
}

function weighed<Sheet>({ decisions, weightSums }: Choice<Sheet>): WeighedTarget<Sheet>[] {
  return decisions.map(({ target }, index) => ({ target, weight: (weightSums[index] ?? 0) - (weightSums[index - 1] ?? 0) }));
}
