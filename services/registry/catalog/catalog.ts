import type { OutputCap } from '../../../schema/values/output-cap.ts';
import type { SnapshotProvider } from '../snapshot.ts';
import type { CompiledCredential } from './compiled-credentials.ts';
import type { CompiledPrice } from './compiled-prices.ts';

/**
 * A model as one organization may use it: at its price, under its credential.
 * `Sheet` is a price sheet as whoever builds the catalog wants it, here and in all that follows; nothing here looks into one.
 */
export interface CatalogModel<Sheet> {
  /** `mdl_…` */
  readonly id: string;
  /** `provider/model`. */
  readonly name: string;
  readonly provider: SnapshotProvider;
  readonly credential: CompiledCredential;
  readonly upstreamModel: string;
  readonly createdAt: number;
  /** null = not known. */
  readonly contextWindow: number | null;
  readonly maxOutputTokens: number | null;
  /** Newest first. */
  readonly prices: readonly CompiledPrice<Sheet>[];
}

/** A provider as one organization may call it. */
export interface CatalogProvider {
  readonly provider: SnapshotProvider;
  readonly credential: CompiledCredential;
}

/** Where a request goes and why; it stands in the event, so that every answer can be explained. Made once, never per request. */
export interface Decision<Sheet> {
  readonly target: CatalogModel<Sheet>;
  /** `rte_…`; null = no route was asked for. */
  readonly routeId: string | null;
  readonly reason: 'named' | 'only_offer' | 'route_single' | 'route_weighted';
  /** Names of the models it could have gone to, in the order they were considered. */
  readonly candidates: readonly string[];
  /** Of its route. */
  readonly outputCap: OutputCap | null;
}

/** The decisions a name can lead to, of which chooseTarget takes one. */
export interface Choice<Sheet> {
  readonly decisions: readonly [Decision<Sheet>, ...Decision<Sheet>[]];
  /** Sums of the weights up to and with each decision; the last is the sum of all. */
  readonly weightSums: readonly number[];
}

export interface CompiledRoute<Sheet> {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  /** null where no target of it is left. */
  readonly choice: Choice<Sheet> | null;
  /** Targets it does not go to, by position. */
  readonly skipped: readonly SkippedTarget[];
}

/** A target that a route names and that is not there to be called. */
export interface SkippedTarget {
  /** `mdl_…` */
  readonly modelId: string;
  /** `crd_…`; null = the route names none. */
  readonly credentialId: string | null;
  readonly weight: number;
  /** The model or its provider was archived, or the credential was revoked. */
  readonly reason: 'model_gone' | 'credential_gone';
}

/**
 * What the `model` of a request can mean to one organization: what it has of its own, above what the installation shares with
 * all. Of the thousands of shared models it repeats only those that it pays or authorizes differently.
 */
export interface Catalog<Sheet> {
  /** By full name; each has one decision, which is the model. */
  readonly models: ReadonlyMap<string, Choice<Sheet>>;
  /** By the name without its provider: everyone who offers it, each with one decision. */
  readonly offers: ReadonlyMap<string, readonly Choice<Sheet>[]>;
  /** By name, without `route/`. */
  readonly routes: ReadonlyMap<string, CompiledRoute<Sheet>>;
  /** By name: where a provider is, and under which credential, whatever is asked of it. */
  readonly providers: ReadonlyMap<string, CatalogProvider>;
  readonly shared: Catalog<Sheet> | null;
}

/** What a name begins with that can only be a route's. */
export const ROUTE_PREFIX = 'route/';

/** The one place a request for a model by its full name goes. */
export function modelNamed<Sheet>(catalog: Catalog<Sheet>, name: string): Choice<Sheet> | undefined {
  return catalog.models.get(name) ?? catalog.shared?.models.get(name);
}

export function offersOf<Sheet>(catalog: Catalog<Sheet>, bareName: string): readonly Choice<Sheet>[] | undefined {
  return catalog.offers.get(bareName) ?? catalog.shared?.offers.get(bareName);
}

/** The route of a name, with or without `route/`. */
export function routeNamed<Sheet>(catalog: Catalog<Sheet>, name: string): CompiledRoute<Sheet> | undefined {
  return catalog.routes.get(name.startsWith(ROUTE_PREFIX) ? name.slice(ROUTE_PREFIX.length) : name);
}

export function providerNamed<Sheet>(catalog: Catalog<Sheet>, name: string): CatalogProvider | undefined {
  return catalog.providers.get(name) ?? catalog.shared?.providers.get(name);
}

/** The model of a choice between one. */
export function onlyTarget<Sheet>(choice: Choice<Sheet>): CatalogModel<Sheet> {
  return choice.decisions[0].target;
}

/** Every model of a catalog once, its own before the shared. For lists, not for the hot path. */
export function* modelsOf<Sheet>(catalog: Catalog<Sheet>): Generator<CatalogModel<Sheet>> {
  for (const choice of catalog.models.values()) yield onlyTarget(choice);
  for (const [name, choice] of catalog.shared?.models ?? []) if (!catalog.models.has(name)) yield onlyTarget(choice);
}
