import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import type { RequestOverride } from '../../../schema/http/request-overrides.ts';
import { isRequestOverride } from '../../../schema/http/request-overrides.ts';
import type { BudgetExceededStatus } from '../../../schema/values/budget-exceeded-status.ts';
import { partitionOf } from '../../eventlog/partition.ts';
import type { PriceSheet } from '../../pricing/price-sheet.ts';
import type { Catalogs } from '../../registry/catalog/build-catalogs.ts';
import { buildCatalogs } from '../../registry/catalog/build-catalogs.ts';
import type { OpenCredentials, OpenedCredential } from '../../registry/catalog/compiled-credentials.ts';
import type { SheetOf } from '../../registry/catalog/compiled-prices.ts';
import { keyRefusal } from '../../registry/catalog/key-refusal.ts';
import type { Snapshot, SnapshotKey, SnapshotProvider } from '../../registry/snapshot.ts';
import { collectYoung } from '../../runtime/collect-young.ts';
import type { KeyRestriction } from '../admission/key-restriction.ts';
import { compileRestriction } from '../admission/key-restriction.ts';
import type { OrganizationBudgets } from '../budgets/compiled-budgets.ts';
import { compileBudgets } from '../budgets/compiled-budgets.ts';
import { compileRateLimit } from '../rate-limits/compiled-rate-limit.ts';

/** A virtual key as the hot path wants it. */
export interface CompiledKey {
  readonly id: string;
  readonly organizationId: string;
  readonly teamId: string | null;
  readonly userId: string | null;
  readonly serviceAccountId: string | null;
  /** null = every model. */
  readonly allowedModels: ReadonlySet<string> | null;
  /** null = any endpoint from anywhere. */
  readonly restriction: KeyRestriction | null;
  /** null = its requests decide nothing for themselves. */
  readonly allowedOverrides: ReadonlySet<RequestOverride> | null;
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
  /** HMAC in base64url. */
  readonly hash: string;
  readonly publicPart: string;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}

/** The snapshot as Maps, immutable, swapped whole by one assignment. */
export interface CompiledSnapshot {
  readonly revision: string;
  readonly readAtMs: number;
  /** By HMAC in base64url. */
  readonly secrets: ReadonlyMap<string, CompiledSecret>;
  /** Those of the secrets that lived when it was read. Gathered when first asked for, which is when somebody presents bad keys without end. */
  readonly publicParts: () => ReadonlySet<string>;
  /** Whether more than one organization has keys: what an account of the installation holds at a provider is then not any one's to see. */
  readonly isShared: boolean;
  readonly catalogs: Catalogs<PriceSheet>;
  /** By `crd_…`. */
  readonly credentials: ReadonlyMap<string, OpenedCredential>;
  readonly providers: readonly SnapshotProvider[];
  /** Budgets and rate limits by `org_…`; an organization without any is not in it. */
  readonly budgets: ReadonlyMap<string, OrganizationBudgets>;
  /** By `org_…`, of those that do not have the status of the catalogue. */
  readonly budgetExceededStatuses: ReadonlyMap<string, BudgetExceededStatus>;
}

/**
 * The keys compiled last. One that has not changed is the same object in the next snapshot ({@link readSnapshot}), and so is what was made of it. A map,
 * which is kept in place: of a weak one with ten thousand entries each collection of the whole heap followed every entry while all stood still.
 */
export interface KnownSecrets {
  /** Snapshots so far. */
  compiles: number;
  /** By `key_…`. `found` is the number of the snapshot that last had it. */
  readonly byKey: Map<string, { readonly key: SnapshotKey; readonly secrets: readonly CompiledSecret[]; found: number }>;
}

/** Of no snapshot yet. */
export function createKnownSecrets(): KnownSecrets {
  return { compiles: 0, byKey: new Map() };
}

export interface CompileOptions {
  /** Brought up to date. */
  readonly known: KnownSecrets;
  readonly sheetOf: SheetOf<PriceSheet>;
  readonly openCredentials: OpenCredentials;
}

/**
 * Compiles a snapshot. Runs when the registry changed, never per request, and yields after each key, for {@link inTurns}: requests are served from the
 * last snapshot until all of it is done.
 */
export function* compileSnapshot(snapshot: Snapshot, options: CompileOptions): Generator<void, CompiledSnapshot, undefined> {
  const { known } = options;
  const secrets = new Map<string, CompiledSecret>();
  const [first] = snapshot.keys;
  let isShared = false;
  let made = 0;
  known.compiles += 1;
  for (const key of snapshot.keys) {
    let one = known.byKey.get(key.id);
    if (one?.key !== key) {
      one = { key, secrets: compileSecrets(key), found: 0 };
      known.byKey.set(key.id, one);
      made += 1;
      if (made % KEYS_PER_COLLECTION === 0) collectYoung();
    }
    one.found = known.compiles;
    isShared ||= key.organizationId !== first?.organizationId;
    for (const secret of one.secrets) secrets.set(secret.hash, secret);
    yield;
  }
  if (known.byKey.size > snapshot.keys.length) {
    for (const [id, { found }] of known.byKey) if (found !== known.compiles) known.byKey.delete(id);
  }
  let publicParts: ReadonlySet<string> | null = null;
  const credentials = options.openCredentials(snapshot);
  return {
    revision: snapshot.revision,
    readAtMs: snapshot.readAtMs,
    secrets,
    isShared,
    publicParts: () => {
      publicParts ??= livePublicParts(secrets, snapshot.readAtMs);
      return publicParts;
    },
    catalogs: buildCatalogs(snapshot, credentials, options.sheetOf),
    credentials,
    providers: snapshot.providers,
    budgets: compileBudgets(snapshot.budgets, snapshot.rateLimits.flatMap(compileRateLimit)),
    budgetExceededStatuses: new Map(snapshot.organizations.map(({ id, budgetExceededStatus }) => [id, budgetExceededStatus])),
  };
}

/** Keys that are made anew and live on, a few hundred bytes each. */
const KEYS_PER_COLLECTION = 250;

function compileSecrets(key: SnapshotKey): readonly CompiledSecret[] {
  const compiled = compileKey(key);
  return key.secrets.map(({ hash, publicPart, expiresAt, revokedAt }) => ({ hash, key: compiled, publicPart, expiresAt, revokedAt }));
}

function livePublicParts(secrets: ReadonlyMap<string, CompiledSecret>, nowMs: number): ReadonlySet<string> {
  const parts = new Set<string>();
  for (const secret of secrets.values()) if (keyRefusal(secret.key, secret, nowMs) === null) parts.add(secret.publicPart);
  return parts;
}

function compileKey(key: SnapshotKey): CompiledKey {
  return {
    id: key.id,
    organizationId: key.organizationId,
    teamId: key.teamId,
    userId: key.userId,
    serviceAccountId: key.serviceAccountId,
    allowedModels: key.allowedModels === null ? null : new Set(key.allowedModels),
    restriction: compileRestriction(key),
    // What a newer version allows and this one does not know is not allowed here.
    allowedOverrides: key.allowedOverrides === null ? null : new Set(key.allowedOverrides.filter(isRequestOverride)),
    tags: key.tags,
    expiresAt: key.expiresAt,
    disabledAt: key.disabledAt,
    revokedAt: key.revokedAt,
    partition: partitionOf(key.id, REQUESTS_TOPIC.partitions),
  };
}
