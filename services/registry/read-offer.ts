import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import { ROUTE_PREFIX } from './catalog/catalog.ts';
import type { ProviderOptions, Snapshot, SnapshotModel } from './snapshot.ts';

/** What of a snapshot decides where a request may go. */
export type Offer = Pick<Snapshot, 'providers' | 'models' | 'routes'>;

/** One organization, and what one of its requests asks for. */
export interface OfferScope {
  /** uuid. */
  readonly organizationId: string;
  /** As an application writes it: a model, a model without its provider, or a route. */
  readonly model: string;
}

/**
 * Reads what may be asked for. The caller decides how the transaction is isolated and which rows its role sees.
 * @param scope narrows it to what one name can lead to, without changing where it leads; null = everything.
 */
export async function readOffer(trx: Kysely<Database>, scope: OfferScope | null): Promise<Offer> {
  const routes = await liveRoutes(trx, scope).selectAll().orderBy('name').execute();
  const targets = await trx
    .selectFrom('route_targets')
    .selectAll()
    .where('route_id', 'in', liveRoutes(trx, scope).select('id'))
    .orderBy('route_id')
    .orderBy('position')
    .execute();
  const providers = await liveProviders(trx, scope).selectAll().orderBy('name').execute();
  const models = await liveModels(trx, scope)
    .selectAll('models')
    .select(['providers.name as provider_name', 'providers.organization_id'])
    .orderBy('models.name')
    .execute();
  let priced = trx
    .selectFrom('model_prices')
    .leftJoin('price_versions', 'price_versions.name', 'model_prices.price_version')
    .select(['model_id', 'organization_id', 'valid_from', 'price_version', 'sheet'])
    .orderBy('model_id')
    .orderBy('valid_from');
  if (scope !== null) priced = priced.where('model_id', 'in', liveModels(trx, scope).select('models.id'));
  const pricesOf = Map.groupBy(await priced.execute(), (price) => price.model_id);
  const targetsOf = Map.groupBy(targets, (target) => target.route_id);
  return {
    providers: providers.map((provider) => ({
      id: idFromUuid('provider', provider.id),
      organizationId: organizationIdOf(provider.organization_id),
      name: provider.name,
      protocol: provider.protocol,
      baseUrl: provider.base_url,
      credential: provider.credential,
      // Written by registry code from checked configuration only.
      options: provider.options as ProviderOptions,
    })),
    models: models.map(
      (model): SnapshotModel => ({
        id: idFromUuid('model', model.id),
        name: model.name,
        providerName: model.provider_name,
        organizationId: organizationIdOf(model.organization_id),
        upstreamModel: model.upstream_model,
        createdAt: model.created_at.getTime(),
        contextWindow: model.context_window === null ? null : Number(model.context_window),
        maxOutputTokens: model.max_output_tokens === null ? null : Number(model.max_output_tokens),
        ...snapshotPrices(pricesOf.get(model.id) ?? []),
      }),
    ),
    routes: routes.map((route) => ({
      id: idFromUuid('route', route.id),
      organizationId: idFromUuid('organization', route.organization_id),
      name: route.name,
      strategy: route.strategy,
      createdAt: route.created_at.getTime(),
      outputCap: route.max_output_tokens === null ? null : { tokens: Number(route.max_output_tokens), injected: route.injects_max_tokens },
      targets: (targetsOf.get(route.id) ?? []).map((target) => ({
        modelId: idFromUuid('model', target.model_id),
        weight: target.weight,
        credentialId: target.credential_id === null ? null : idFromUuid('providerCredential', target.credential_id),
      })),
    })),
  };
}

function liveRoutes(trx: Kysely<Database>, scope: OfferScope | null) {
  const routes = trx.selectFrom('routes').where('archived_at', 'is', null);
  if (scope === null) return routes;
  const { model } = scope;
  const name = model.startsWith(ROUTE_PREFIX) ? model.slice(ROUTE_PREFIX.length) : model;
  return routes.where('organization_id', '=', scope.organizationId).where('name', '=', name);
}

function liveProviders(trx: Kysely<Database>, scope: OfferScope | null) {
  const providers = trx.selectFrom('providers').where('archived_at', 'is', null);
  if (scope === null) return providers;
  return providers.where((where) => where.or([where('organization_id', 'is', null), where('organization_id', '=', scope.organizationId)]));
}

function liveModels(trx: Kysely<Database>, scope: OfferScope | null) {
  const models = trx
    .selectFrom('models')
    .innerJoin('providers', 'providers.id', 'models.provider_id')
    .where('models.archived_at', 'is', null)
    .where('providers.archived_at', 'is', null);
  if (scope === null) return models;
  const targets = trx.selectFrom('route_targets').select('model_id').where('route_id', 'in', liveRoutes(trx, scope).select('id'));
  return models
    .where('providers.id', 'in', liveProviders(trx, scope).select('id'))
    .where((where) =>
      where.or([
        where('models.name', '=', scope.model),
        where('models.name', '=', sql<string>`providers.name || '/' || ${scope.model}`),
        where('models.id', 'in', targets),
      ]),
    );
}

function organizationIdOf(uuid: string | null): string | null {
  return uuid === null ? null : idFromUuid('organization', uuid);
}

interface PriceRow {
  readonly organization_id: string | null;
  readonly valid_from: Date;
  readonly price_version: string | null;
  readonly sheet: unknown;
}

/** Prices by time: those that hold for everybody, and those of single organizations. */
function snapshotPrices(rows: readonly PriceRow[]): Pick<SnapshotModel, 'prices' | 'ownPrices'> {
  const prices: SnapshotModel['prices'][number][] = [];
  const ownPrices: SnapshotModel['ownPrices'][number][] = [];
  for (const row of rows) {
    const { price_version: priceVersion, sheet } = row;
    const validFrom = row.valid_from.getTime();
    if (row.organization_id !== null) {
      ownPrices.push({ organizationId: idFromUuid('organization', row.organization_id), validFrom, priceVersion, sheet });
    } else if (priceVersion !== null) prices.push({ validFrom, priceVersion, sheet });
  }
  return { prices, ownPrices };
}
