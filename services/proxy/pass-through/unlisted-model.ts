import type { CatalogProvider } from '../../registry/catalog/catalog.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';

/** Stands for whatever the provider does that the catalog does not list: it has no price, hence no cost that could be taken for one. */
export function unlistedModel({ provider, credential }: CatalogProvider): CompiledModel {
  const name = `${provider.name}/*`;
  return { id: '', name, provider, credential, upstreamModel: '*', createdAt: 0, contextWindow: null, maxOutputTokens: null, prices: [] };
}
