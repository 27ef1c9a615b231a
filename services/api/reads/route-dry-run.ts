import type { Kysely } from 'kysely';
import type { ErrorCode, GatewayError } from '../../../schema/errors.ts';
import { ERRORS } from '../../../schema/errors.ts';
import type { DryRunAnswer, DryRunRefusal, DryRunTarget, RouteDryRun } from '../../../schema/graphql/ports/route-dry-run.ts';
import { PROVIDER_ENDPOINTS, servesEndpoint } from '../../../schema/http/endpoints.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { parsePriceSheet } from '../../pricing/price-sheet.ts';
import { buildCatalogs, catalogOf } from '../../registry/catalog/build-catalogs.ts';
import type { PlacedCredential } from '../../registry/catalog/compiled-credentials.ts';
import { priceAt } from '../../registry/catalog/compiled-prices.ts';
import type { DryRun, WeighedTarget } from '../../registry/catalog/dry-run.ts';
import { dryRun } from '../../registry/catalog/dry-run.ts';
import { endpointRefusal } from '../../registry/catalog/endpoint-refusal.ts';
import { keyRefusal } from '../../registry/catalog/key-refusal.ts';
import { knownKeys } from '../../registry/known-keys.ts';
import { readOffer } from '../../registry/read-offer.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { TenantRead } from './tenant-read.ts';

/**
 * Answers what the proxies would do with a request of one organization, by their own code over the same rows. What only a
 * proxy knows is left open: whether a variable of its environment is set, and whether a sealed credential opens there.
 */
export function createRouteDryRun(read: TenantRead, organizationId: string, clock: Clock): RouteDryRun {
  return ({ apiKeyId, model, endpoint, requestId }) =>
    read(async (trx) => {
      const now = new Date(clock.now());
      const owned = await trx
        .selectFrom('api_keys')
        .select(['allowed_models', 'allowed_endpoints'])
        .where('id', '=', apiKeyId)
        .where('organization_id', '=', organizationId)
        .executeTakeFirst();
      if (owned === undefined) return null;
      const refusedEndpoint = owned.allowed_endpoints?.includes(endpoint) === false ? 'endpoint_not_allowed' : null;
      const refusedKey = (await refusalOfKey(trx, apiKeyId, now)) ?? refusedEndpoint;
      const offer = await readOffer(trx, { organizationId, model });
      const catalogs = buildCatalogs(offer, await credentialsOf(trx, organizationId), readableVersion);
      const catalog = catalogOf(catalogs, idFromUuid('organization', organizationId));
      const policy = { allowedModels: owned.allowed_models === null ? null : new Set(owned.allowed_models) };
      const answer = answerOf(dryRun(catalog, policy, model, requestId), refusedKey, endpoint, now.getTime());
      return PROVIDER_ENDPOINTS.some((path) => path === endpoint)
        ? answer
        : { ...answer, refusals: [noEndpoint(endpoint), ...answer.refusals] };
    });
}

/** In the proxy's own words, which come before it looks at the key. */
function noEndpoint(path: string): DryRunRefusal {
  return { code: 'endpoint_not_found', message: `There is no endpoint POST ${path}.`, param: null, candidates: [] };
}

/** A key is let in by any of its secrets; where none does, the newest says why. */
async function refusalOfKey(trx: Kysely<Database>, apiKeyId: string, now: Date): Promise<ErrorCode | null> {
  const key = await knownKeys(trx, now).where('api_keys.id', '=', apiKeyId).executeTakeFirst();
  if (key === undefined) return 'invalid_api_key';
  const secrets = await trx
    .selectFrom('api_key_secrets')
    .select(['expires_at', 'revoked_at'])
    .where('api_key_id', '=', apiKeyId)
    .orderBy('created_at')
    .execute();
  const times = { expiresAt: msOf(key.expires_at), revokedAt: msOf(key.revoked_at), disabledAt: msOf(key.out_of_use_at) };
  const refusals = secrets.map((secret) =>
    keyRefusal(times, { expiresAt: msOf(secret.expires_at), revokedAt: msOf(secret.revoked_at) }, now.getTime()),
  );
  return refusals.includes(null) ? null : (refusals.at(-1) ?? 'invalid_api_key');
}

/** Which credentials there are, without what is in them. */
async function credentialsOf(trx: Kysely<Database>, organizationId: string): Promise<Map<string, PlacedCredential>> {
  const rows = await trx
    .selectFrom('provider_credentials')
    .select(['id', 'organization_id', 'provider_id'])
    .where('organization_id', '=', organizationId)
    .where('archived_at', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return new Map(
    rows.map((row) => {
      const id = idFromUuid('providerCredential', row.id);
      const source = {
        id,
        organizationId: idFromUuid('organization', row.organization_id),
        providerId: idFromUuid('provider', row.provider_id),
      };
      return [id, { source, compiled: { kind: 'sealed', id, reveal: () => null } }];
    }),
  );
}

/** Of a price only which it is matters here, and whether it can be read at all. */
function readableVersion(priceVersion: string, sheet: unknown): string | null {
  try {
    parsePriceSheet(sheet);
    return priceVersion;
  } catch {
    return null;
  }
}

function answerOf(run: DryRun<string>, refusedKey: ErrorCode | null, endpoint: string, nowMs: number): DryRunAnswer {
  const targets = run.targets.map((target) => targetOf(target, endpoint, nowMs));
  const drawnAt = run.drawn === null ? -1 : run.targets.indexOf(run.drawn);
  const refusals: DryRunRefusal[] = [];
  if (refusedKey !== null) refusals.push({ code: refusedKey, message: ERRORS[refusedKey].message, param: null, candidates: [] });
  const refusal = run.refusal ?? refusalOfTargets(run, endpoint);
  if (refusal !== null) {
    const { code, message, param, meta } = refusal;
    refusals.push({ code, message, param, candidates: Array.isArray(meta.candidates) ? meta.candidates.map(String) : [] });
  }
  const { decision, skipped } = run;
  return {
    refusals,
    routeId: run.routeId,
    decision: decision === null ? null : { reason: decision.reason, candidates: [...decision.candidates] },
    targets,
    weightSum: run.weightSum,
    skipped,
    drawn: targets[drawnAt] ?? null,
  };
}

/** Certain where the drawn target does not serve the endpoint, or none of them does. */
function refusalOfTargets({ drawn, targets }: DryRun<string>, endpoint: string): GatewayError | null {
  const possible = drawn === null ? targets : [drawn];
  const [first] = possible;
  if (first === undefined || possible.some(({ target }) => servesEndpoint(target.provider.protocol, endpoint))) return null;
  return endpointRefusal(first.target, endpoint);
}

function targetOf({ target, weight }: WeighedTarget<string>, endpoint: string, nowMs: number): DryRunTarget {
  const { credential } = target;
  return {
    modelId: target.id,
    weight,
    credentialSource: credential.kind === 'sealed' ? 'organization' : credential.kind,
    credentialId: credential.kind === 'sealed' ? credential.id : null,
    servesEndpoint: servesEndpoint(target.provider.protocol, endpoint),
    priceVersion: priceAt(target.prices, nowMs),
  };
}

function msOf(time: Date | null): number | null {
  return time?.getTime() ?? null;
}
