import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import { partitionOf } from '../../eventlog/partition.ts';
import type { PriceSheet } from '../../pricing/price-sheet.ts';
import { parsePriceSheet } from '../../pricing/price-sheet.ts';
import type { Snapshot, SnapshotKey, SnapshotModel, SnapshotProvider } from '../../registry/snapshot.ts';

/** A virtual key as the hot path wants it. */
export interface CompiledKey {
  readonly id: string;
  readonly organizationId: string;
  readonly teamId: string | null;
  readonly userId: string | null;
  readonly serviceAccountId: string | null;
  /** null = every model. */
  readonly allowedModels: ReadonlySet<string> | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly expiresAt: number | null;
  readonly disabledAt: number | null;
  readonly revokedAt: number | null;
  /** Partition of the event log its events go to. */
  readonly partition: number;
}

/** One live secret of a key; a key under rotation has two. */
export interface CompiledSecret {
  readonly key: CompiledKey;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}

export interface CompiledPrice {
  readonly validFrom: number;
  readonly priceVersion: string;
  readonly sheet: PriceSheet;
}

export interface CompiledModel {
  /** `provider/model`. */
  readonly name: string;
  readonly provider: SnapshotProvider;
  readonly upstreamModel: string;
  readonly createdAt: number;
  /** Newest first. */
  readonly prices: readonly CompiledPrice[];
}

/** The snapshot as Maps, immutable, swapped whole by one assignment. */
export interface CompiledSnapshot {
  readonly revision: string;
  readonly readAtMs: number;
  /** By HMAC in base64url. */
  readonly secrets: ReadonlyMap<string, CompiledSecret>;
  /** By full name. */
  readonly models: ReadonlyMap<string, CompiledModel>;
  /** By the name without its provider: everyone who offers it. */
  readonly offers: ReadonlyMap<string, readonly CompiledModel[]>;
  readonly providers: readonly SnapshotProvider[];
}

export interface CompileOptions {
  /** Sheets already parsed, by price version: a version never changes, so a new snapshot parses only what is new. */
  readonly sheets: Map<string, PriceSheet>;
  /** Told of a price that is none; its model is then unpriced from that date on, which is unrated and never free. */
  readonly onBadPrice: (model: string, priceVersion: string, error: unknown) => void;
}

/** Compiles a snapshot. Runs when the registry changed, never per request. */
export function compileSnapshot(snapshot: Snapshot, options: CompileOptions): CompiledSnapshot {
  const providers = new Map(snapshot.providers.map((provider) => [provider.name, provider]));
  const models = new Map<string, CompiledModel>();
  const offers = new Map<string, CompiledModel[]>();
  for (const model of snapshot.models) {
    const provider = providers.get(model.providerName);
    if (provider === undefined) continue;
    const compiled = compileModel(model, provider, options);
    models.set(model.name, compiled);
    const bareName = model.name.slice(provider.name.length + 1);
    const offered = offers.get(bareName);
    if (offered === undefined) offers.set(bareName, [compiled]);
    else offered.push(compiled);
  }
  const secrets = new Map<string, CompiledSecret>();
  for (const key of snapshot.keys) {
    const compiled = compileKey(key);
    for (const secret of key.secrets) {
      secrets.set(secret.hash, { key: compiled, expiresAt: secret.expiresAt, revokedAt: secret.revokedAt });
    }
  }
  return {
    revision: snapshot.revision,
    readAtMs: snapshot.readAtMs,
    secrets,
    models,
    offers,
    providers: snapshot.providers,
  };
}

function compileKey(key: SnapshotKey): CompiledKey {
  return {
    id: key.id,
    organizationId: key.organizationId,
    teamId: key.teamId,
    userId: key.userId,
    serviceAccountId: key.serviceAccountId,
    allowedModels: key.allowedModels === null ? null : new Set(key.allowedModels),
    tags: key.tags,
    expiresAt: key.expiresAt,
    disabledAt: key.disabledAt,
    revokedAt: key.revokedAt,
    partition: partitionOf(key.id, REQUESTS_TOPIC.partitions),
  };
}

function compileModel(model: SnapshotModel, provider: SnapshotProvider, options: CompileOptions): CompiledModel {
  const prices: CompiledPrice[] = [];
  for (const { validFrom, priceVersion, sheet } of model.prices) {
    try {
      const parsed = options.sheets.get(priceVersion) ?? parsePriceSheet(sheet);
      options.sheets.set(priceVersion, parsed);
      prices.unshift({ validFrom, priceVersion, sheet: parsed });
    } catch (error) {
      // An older price must not stand in for one we cannot read.
      prices.length = 0;
      options.onBadPrice(model.name, priceVersion, error);
    }
  }
  return { name: model.name, provider, upstreamModel: model.upstreamModel, createdAt: model.createdAt, prices };
}

/** The price in force at a time, or null: then the request is unrated. */
export function priceAt(model: CompiledModel, timeMs: number): CompiledPrice | null {
  for (const price of model.prices) if (price.validFrom <= timeMs) return price;
  return null;
}
