import type { PriceSheet } from '../../pricing/price-sheet.ts';
import type { Catalog } from '../../registry/catalog/catalog.ts';
import { onlyTarget } from '../../registry/catalog/catalog.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';

type Models = Catalog<PriceSheet>['models'];

/** By provider and the provider's own name; null: several are called so there, and nobody knows at which one's price. */
const indexes = new WeakMap<Models, ReadonlyMap<string, CompiledModel | null>>();

/** The model of the catalog that a provider calls so; null where there is none, or not one alone. */
export function calledModel(catalog: Catalog<PriceSheet>, provider: string, upstreamModel: string): CompiledModel | null {
  const key = `${provider} ${upstreamModel}`;
  const own = indexOf(catalog.models).get(key);
  if (own !== undefined) return own;
  return catalog.shared === null ? null : (indexOf(catalog.shared.models).get(key) ?? null);
}

/** Made with the first request that needs it: it goes with its snapshot. */
function indexOf(models: Models): ReadonlyMap<string, CompiledModel | null> {
  const known = indexes.get(models);
  if (known !== undefined) return known;
  const index = new Map<string, CompiledModel | null>();
  for (const [name, choice] of models) {
    const target = onlyTarget(choice);
    const { name: provider } = target.provider;
    const key = `${provider} ${target.upstreamModel}`;
    // Of several, the one that bears the provider's own name is meant.
    if (name === `${provider}/${target.upstreamModel}`) index.set(key, target);
    else if (!index.has(key)) index.set(key, target);
    else if (index.get(key)?.name !== key.replace(' ', '/')) index.set(key, null);
  }
  indexes.set(models, index);
  return index;
}
