import type { Snapshot, SnapshotModel, SnapshotProvider, SnapshotRoute } from '../snapshot.ts';
import type { Catalog, CatalogModel, CatalogProvider, Choice, CompiledRoute, Decision, SkippedTarget } from './catalog.ts';
import { onlyTarget } from './catalog.ts';
import type { CompiledCredential, PlacedCredential } from './compiled-credentials.ts';
import { NO_CREDENTIAL } from './compiled-credentials.ts';
import type { CompiledPrice, SheetOf } from './compiled-prices.ts';
import { pricesOf, sharedPrices } from './compiled-prices.ts';

export interface Catalogs<Sheet> {
  /** Of an organization that has nothing of its own. */
  readonly shared: Catalog<Sheet>;
  /** Of the others, by `org_…`. */
  readonly own: ReadonlyMap<string, Catalog<Sheet>>;
}

/** What an organization may use. */
export function catalogOf<Sheet>(catalogs: Catalogs<Sheet>, organizationId: string): Catalog<Sheet> {
  return catalogs.own.get(organizationId) ?? catalogs.shared;
}

/** A model of the snapshot with its provider and the prices everybody pays. */
interface Source<Sheet> {
  readonly model: SnapshotModel;
  readonly provider: SnapshotProvider;
  readonly prices: readonly CompiledPrice<Sheet>[];
}

/** Sorts a snapshot into what each organization may use. Nothing of one organization is in the catalog of another. */
export function buildCatalogs<Sheet>(
  snapshot: Pick<Snapshot, 'providers' | 'models' | 'routes'>,
  credentials: ReadonlyMap<string, PlacedCredential>,
  sheetOf: SheetOf<Sheet>,
): Catalogs<Sheet> {
  const providers = new Map(snapshot.providers.map((provider) => [ownedName(provider.organizationId, provider.name), provider]));
  const sources: Source<Sheet>[] = [];
  for (const model of snapshot.models) {
    const provider = providers.get(ownedName(model.organizationId, model.providerName));
    if (provider !== undefined) sources.push({ model, provider, prices: sharedPrices(model, sheetOf) });
  }
  const environment = new Map(snapshot.providers.map((provider) => [provider.id, environmentCredential(provider)]));
  const sharedModels = sources
    .filter(({ provider }) => provider.organizationId === null)
    .map((source) => compileModel(source, source.prices, environment.get(source.provider.id) ?? NO_CREDENTIAL));
  const sharedProviders = snapshot.providers.filter(({ organizationId }) => organizationId === null);
  const shared: Catalog<Sheet> = {
    models: byName(sharedModels),
    offers: offersAmong(sharedModels),
    routes: new Map(),
    providers: providersByName(sharedProviders, (id) => environment.get(id)),
    shared: null,
  };
  const sharedById = new Map(sharedModels.map((model) => [model.id, model]));

  const ofOrganization = Map.groupBy([...credentials.values()], ({ source }) => source.organizationId);
  const routesOf = Map.groupBy(snapshot.routes, (route) => route.organizationId);
  const sourcesOf = Map.groupBy(sources, ({ provider }) => provider.organizationId);
  const providersOf = Map.groupBy(snapshot.providers, (provider) => provider.organizationId);
  const sourcesOfProvider = Map.groupBy(sources, ({ provider }) => provider.id);
  const repriced = new Map<string, Source<Sheet>[]>();
  for (const source of sources) {
    for (const organizationId of new Set(source.model.ownPrices.map((price) => price.organizationId))) {
      if (source.provider.organizationId === null) repriced.set(organizationId, [...(repriced.get(organizationId) ?? []), source]);
    }
  }

  const own = new Map<string, Catalog<Sheet>>();
  const owners = new Set([...ofOrganization.keys(), ...routesOf.keys(), ...sourcesOf.keys(), ...providersOf.keys(), ...repriced.keys()]);
  for (const organizationId of owners) {
    if (organizationId === null) continue;
    const usable = new Map<string, CompiledCredential>();
    const credentialOf = new Map<string, CompiledCredential>();
    for (const { source, compiled } of ofOrganization.get(organizationId) ?? []) {
      usable.set(`${source.providerId} ${source.id}`, compiled);
      // The oldest is the one that is used where a route names none.
      if (!credentialOf.has(source.providerId)) credentialOf.set(source.providerId, compiled);
    }
    const different = new Set([...(sourcesOf.get(organizationId) ?? []), ...(repriced.get(organizationId) ?? [])]);
    for (const providerId of credentialOf.keys()) {
      for (const source of sourcesOfProvider.get(providerId) ?? []) if (isVisible(source.provider, organizationId)) different.add(source);
    }
    const models = [...different].map((source) =>
      compileModel(
        source,
        pricesOf(organizationId, source.model, source.prices, sheetOf),
        credentialOf.get(source.provider.id) ?? environment.get(source.provider.id) ?? NO_CREDENTIAL,
      ),
    );
    const byId = new Map(models.map((model) => [model.id, model]));
    const modelOf = (id: string): CatalogModel<Sheet> | undefined => byId.get(id) ?? sharedById.get(id);
    own.set(organizationId, {
      models: byName(models),
      offers: overlaidOffers(models, shared),
      routes: new Map((routesOf.get(organizationId) ?? []).map((route) => [route.name, compileRoute(route, modelOf, usable)])),
      providers: providersByName(
        [...sharedProviders.filter(({ id }) => credentialOf.has(id)), ...(providersOf.get(organizationId) ?? [])],
        (id) => credentialOf.get(id) ?? environment.get(id),
      ),
      shared,
    });
  }
  return { shared, own };
}

function isVisible(provider: SnapshotProvider, organizationId: string): boolean {
  return provider.organizationId === null || provider.organizationId === organizationId;
}

function ownedName(organizationId: string | null, name: string): string {
  return `${organizationId ?? ''} ${name}`;
}

function environmentCredential(provider: SnapshotProvider): CompiledCredential {
  // An organization that could name a variable could send its value to a server of its own; the database forbids it, too.
  if (provider.credential === null || provider.organizationId !== null) return NO_CREDENTIAL;
  return { kind: 'environment', variable: provider.credential.env };
}

function providersByName(
  providers: readonly SnapshotProvider[],
  credentialOf: (providerId: string) => CompiledCredential | undefined,
): Map<string, CatalogProvider> {
  return new Map(providers.map((provider) => [provider.name, { provider, credential: credentialOf(provider.id) ?? NO_CREDENTIAL }]));
}

function byName<Sheet>(models: readonly CatalogModel<Sheet>[]): Map<string, Choice<Sheet>> {
  return new Map(models.map((model) => [model.name, choiceOf(model, 'named')]));
}

function offersAmong<Sheet>(models: readonly CatalogModel<Sheet>[]): Map<string, readonly Choice<Sheet>[]> {
  const offers = new Map<string, readonly Choice<Sheet>[]>();
  for (const [bareName, offering] of Map.groupBy(models, (model) => model.name.slice(model.provider.name.length + 1))) {
    offers.set(
      bareName,
      offering.map((model) => choiceOf(model, 'only_offer')),
    );
  }
  return offers;
}

/** The shared offers of every bare name that an organization's own models touch, with those in their place and beside them. */
function overlaidOffers<Sheet>(models: readonly CatalogModel<Sheet>[], shared: Catalog<Sheet>): Map<string, readonly Choice<Sheet>[]> {
  const names = new Set(models.map((model) => model.name));
  const offers = offersAmong(models);
  for (const [bareName, own] of offers) {
    const others = shared.offers.get(bareName) ?? [];
    offers.set(bareName, [...own, ...others.filter((choice) => !names.has(onlyTarget(choice).name))]);
  }
  return offers;
}

function choiceOf<Sheet>(target: CatalogModel<Sheet>, reason: 'named' | 'only_offer'): Choice<Sheet> {
  return { decisions: [{ target, routeId: null, reason, candidates: [target.name], outputCap: null }], weightSums: [1] };
}

function compileModel<Sheet>(
  { model, provider }: Source<Sheet>,
  prices: readonly CompiledPrice<Sheet>[],
  credential: CompiledCredential,
): CatalogModel<Sheet> {
  const { id, name, upstreamModel, createdAt, contextWindow, maxOutputTokens } = model;
  return { id, name, provider, credential, upstreamModel, createdAt, contextWindow, maxOutputTokens, prices };
}

/**
 * @param modelOf among those the organization may use; a target that is gone is skipped.
 * @param usable the organization's credentials by provider and id: one of another provider authorizes nothing.
 */
function compileRoute<Sheet>(
  route: SnapshotRoute,
  modelOf: (id: string) => CatalogModel<Sheet> | undefined,
  usable: ReadonlyMap<string, CompiledCredential>,
): CompiledRoute<Sheet> {
  const { id, name, createdAt, outputCap } = route;
  const targets: { readonly target: CatalogModel<Sheet>; readonly weight: number }[] = [];
  const skipped: SkippedTarget[] = [];
  for (const { modelId, weight, credentialId } of route.targets) {
    const model = modelOf(modelId);
    if (model === undefined) {
      skipped.push({ modelId, credentialId, weight, reason: 'model_gone' });
      continue;
    }
    const credential = credentialId === null ? model.credential : usable.get(`${model.provider.id} ${credentialId}`);
    if (credential === undefined) skipped.push({ modelId, credentialId, weight, reason: 'credential_gone' });
    else targets.push({ weight, target: { ...model, credential } });
  }
  const candidates = targets.map(({ target }) => target.name);
  const reason = route.strategy === 'single' ? 'route_single' : 'route_weighted';
  const [first, ...others] = targets.map(({ target }): Decision<Sheet> => ({ target, routeId: id, reason, candidates, outputCap }));
  if (first === undefined) return { id, name, createdAt, choice: null, skipped };
  let sum = 0;
  const weightSums = targets.map(({ weight }) => {
    sum += weight;
    return sum;
  });
  return { id, name, createdAt, choice: { decisions: [first, ...others], weightSums }, skipped };
}
