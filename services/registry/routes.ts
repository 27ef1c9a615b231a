import type { Selectable, Updateable } from 'kysely';
import { sql } from 'kysely';
import type { RouteStrategy, RouteTable } from '../../schema/tables/route.table.ts';
import type { RouteTargetTable } from '../../schema/tables/route-target.table.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { Change } from './change.ts';
import { differences, mintRowId, RegistryError, recordChange } from './change.ts';
import { lockOwn, nameTaken, nextVersion } from './own-rows.ts';
import { requireModel } from './visible-models.ts';

/** A route with its targets by position. */
export type Route = Selectable<RouteTable> & { readonly targets: readonly Selectable<RouteTargetTable>[] };

export interface RouteTargetInput {
  readonly modelId: string;
  /** 1 to 1000; its share is its part of the sum. */
  readonly weight: number;
  /** null = what the organization uses with the model's provider anyway. */
  readonly credentialId: string | null;
}

/** See schema/values/output-cap.ts. */
export interface RouteCapInput {
  /** 1 to 1,000,000,000; null = the model's own limit. */
  readonly maxOutputTokens: number | null;
  /** Only with a cap. */
  readonly injectMaxTokens: boolean;
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const MOST_TARGETS = 16;
const MOST_WEIGHT = 1_000;
const MOST_TOKENS = 1_000_000_000;

/**
 * Creates a route and publishes it at once. Applications call it as the model `<name>` or `route/<name>`; a key whose policy
 * permits the route (`route/<name>`, `route/*`, or no list at all) may go to its targets by it.
 * @param input.targets 1 to 16; exactly one where the strategy is `single`.
 * @throws RegistryError `not_found` (model, credential), `name_taken` (a route, or a model called so without its provider), `invalid`.
 */
export async function createRoute(
  change: Change,
  input: {
    readonly name: string;
    readonly strategy: RouteStrategy;
    readonly targets: readonly RouteTargetInput[];
  } & Partial<RouteCapInput>,
): Promise<{ route: Route; auditEventId: string }> {
  await checkName(change, input.name);
  await checkTargets(change, input.strategy, input.targets);
  const now = new Date(change.clock.now());
  const row = await change.trx
    .insertInto('routes')
    .values({
      id: mintRowId(change),
      organization_id: change.organizationId,
      name: input.name,
      strategy: input.strategy,
      ...capColumns({ maxOutputTokens: input.maxOutputTokens ?? null, injectMaxTokens: input.injectMaxTokens ?? false }),
      managed_by: null,
      version: 1,
      created_at: now,
      updated_at: now,
      archived_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(taken(input.name));
  const route = { ...row, targets: await writeTargets(change, row.id, input.targets) };
  return { route, auditEventId: await recordRoute(change, 'route.create', route, {}, auditableRoute(route)) };
}

/** Changes a route, at once for every request admitted from then on. @throws RegistryError as {@link createRoute}; `archived`, `managed_by_file`, `version_conflict`. */
export async function updateRoute(
  change: Change,
  input: {
    readonly id: string;
    readonly expectedVersion: number;
    readonly name?: string;
    readonly strategy?: RouteStrategy;
    readonly targets?: readonly RouteTargetInput[];
  } & Partial<RouteCapInput>,
): Promise<{ route: Route; auditEventId: string }> {
  const before = await lockRoute(change, input);
  const strategy = input.strategy ?? before.strategy;
  if (input.name !== undefined && input.name !== before.name) await checkName(change, input.name);
  if (input.targets === undefined) checkStrategy(strategy, before.targets.length);
  else await checkTargets(change, strategy, input.targets);
  const cap = capColumns({
    maxOutputTokens: input.maxOutputTokens === undefined ? tokensOf(before.max_output_tokens) : input.maxOutputTokens,
    injectMaxTokens: input.injectMaxTokens ?? before.injects_max_tokens,
  });
  const row = await write(change, before, { strategy, name: input.name ?? before.name, ...cap }).catch(taken(input.name ?? before.name));
  if (input.targets !== undefined) await change.trx.deleteFrom('route_targets').where('route_id', '=', before.id).execute();
  const targets = input.targets === undefined ? before.targets : await writeTargets(change, before.id, input.targets);
  const route = { ...row, targets };
  const auditEventId = await recordRoute(change, 'route.update', route, auditableRoute(before), auditableRoute(route));
  return { route, auditEventId };
}

/** Takes a route out of use; requests for it are refused from then on. @throws RegistryError `not_found`, `archived`, `managed_by_file`, `version_conflict`. */
export async function archiveRoute(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number },
): Promise<{ route: Route; auditEventId: string }> {
  const before = await lockRoute(change, input);
  const after = { archived_at: new Date(change.clock.now()) };
  const route = { ...(await write(change, before, after)), targets: before.targets };
  return { route, auditEventId: await recordRoute(change, 'route.archive', route, { archived_at: null }, after) };
}

async function checkName(change: Change, name: string): Promise<void> {
  if (!NAME.test(name)) {
    throw new RegistryError('invalid', 'A name has lower-case letters, digits, dots, dashes and underscores, at most 63.', ['name']);
  }
  const model = await change.trx
    .selectFrom('models')
    .innerJoin('providers', 'providers.id', 'models.provider_id')
    .select('models.name')
    .where(sql<boolean>`models.name = providers.name || '/' || ${name}`)
    .where((where) =>
      where.or([where('providers.organization_id', 'is', null), where('providers.organization_id', '=', change.organizationId)]),
    )
    .where('models.archived_at', 'is', null)
    .where('providers.archived_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  if (model !== undefined) throw new RegistryError('name_taken', `Applications call the model ${model.name} so.`, ['name']);
}

async function checkTargets(change: Change, strategy: RouteStrategy, targets: readonly RouteTargetInput[]): Promise<void> {
  checkStrategy(strategy, targets.length);
  for (const [index, target] of targets.entries()) {
    const path = ['targets', String(index)];
    if (!(Number.isInteger(target.weight) && target.weight >= 1 && target.weight <= MOST_WEIGHT)) {
      throw new RegistryError('invalid', `A weight is a whole number from 1 to ${MOST_WEIGHT}.`, [...path, 'weight']);
    }
    const model = await requireModel(change, target.modelId, [...path, 'modelId']);
    if (target.credentialId !== null) {
      await requireCredentialOf(change, target.credentialId, model.provider_id, [...path, 'credentialId']);
    }
  }
}

function checkStrategy(strategy: RouteStrategy, targets: number): void {
  if (targets < 1 || targets > MOST_TARGETS) throw new RegistryError('invalid', `A route has 1 to ${MOST_TARGETS} targets.`, ['targets']);
  if (strategy === 'single' && targets !== 1) {
    throw new RegistryError('invalid', 'A route with the strategy `single` has one target.', ['targets']);
  }
}

async function requireCredentialOf(change: Change, id: string, providerId: string, path: readonly string[]): Promise<void> {
  const credential = await change.trx
    .selectFrom('provider_credentials')
    .select('id')
    .where('id', '=', id)
    .where('organization_id', '=', change.organizationId)
    .where('provider_id', '=', providerId)
    .where('archived_at', 'is', null)
    // Held against its archiving until this change commits.
    .forShare()
    .executeTakeFirst();
  if (credential === undefined) throw new RegistryError('not_found', "The model's provider has no such credential.", path);
}

function writeTargets(change: Change, routeId: string, targets: readonly RouteTargetInput[]): Promise<Selectable<RouteTargetTable>[]> {
  return change.trx
    .insertInto('route_targets')
    .values(
      targets.map((target, position) => ({
        route_id: routeId,
        position,
        model_id: target.modelId,
        weight: target.weight,
        credential_id: target.credentialId,
      })),
    )
    .returningAll()
    .execute();
}

function write(change: Change, before: Route, after: Updateable<RouteTable>): Promise<Selectable<RouteTable>> {
  return change.trx
    .updateTable('routes')
    .set({ ...after, ...nextVersion(change, before) })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

async function lockRoute(change: Change, input: { readonly id: string; readonly expectedVersion: number }): Promise<Route> {
  const route = await lockOwn(change, change.trx.selectFrom('routes').selectAll(), 'route', input);
  const targets = await change.trx.selectFrom('route_targets').selectAll().where('route_id', '=', route.id).orderBy('position').execute();
  return { ...route, targets };
}

function capColumns({ maxOutputTokens, injectMaxTokens }: RouteCapInput) {
  if (maxOutputTokens !== null && !(Number.isInteger(maxOutputTokens) && maxOutputTokens >= 1 && maxOutputTokens <= MOST_TOKENS)) {
    throw new RegistryError('invalid', `A cap is a whole number of tokens from 1 to ${MOST_TOKENS}.`, ['maxOutputTokens']);
  }
  if (injectMaxTokens && maxOutputTokens === null) {
    throw new RegistryError('invalid', 'Without `maxOutputTokens` there is nothing to inject.', ['injectMaxTokens']);
  }
  return { max_output_tokens: maxOutputTokens === null ? null : BigInt(maxOutputTokens), injects_max_tokens: injectMaxTokens };
}

function tokensOf(count: bigint | null): number | null {
  return count === null ? null : Number(count);
}

function auditableRoute({ name, strategy, max_output_tokens, injects_max_tokens, targets }: Route) {
  return { name, strategy, max_output_tokens: tokensOf(max_output_tokens), injects_max_tokens, targets: auditable(targets) };
}

function auditable(targets: readonly Selectable<RouteTargetTable>[]) {
  return targets.map((target) => ({
    model: idFromUuid('model', target.model_id),
    weight: target.weight,
    credential: target.credential_id === null ? null : idFromUuid('providerCredential', target.credential_id),
  }));
}

function taken(name: string): (error: unknown) => never {
  return nameTaken(`A live route named ${name} exists.`);
}

function recordRoute(change: Change, action: string, route: Route, before: object, after: Record<string, unknown>): Promise<string> {
  return recordChange(change, {
    action,
    targets: [{ type: 'route', id: idFromUuid('route', route.id), name: route.name }],
    changes: differences({ ...before }, after),
  });
}
