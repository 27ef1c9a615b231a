import type { Selectable } from 'kysely';
import type { ModelTable } from '../../../schema/tables/model.table.ts';
import type { ProviderTable } from '../../../schema/tables/provider.table.ts';
import { idFromUuid } from '../../../schema/values/ids.ts';
import type { Change } from '../change.ts';
import { differences, mintRowId, RegistryError, recordChange } from '../change.ts';
import type { DesiredModel, DesiredProvider, DesiredState, Owner } from './desired-state.ts';
import { ownershipMark } from './desired-state.ts';

/**
 * Makes the owner's providers and models what the state says: adds, updates, brings back, and archives what it no longer
 * names. Nothing that already is as desired is written, so applying twice leaves no trace.
 * @throws RegistryError `name_taken` where a provider or model of that name belongs to somebody else.
 */
export async function applyProviders(change: Change, desired: DesiredState): Promise<void> {
  // What an organization made for itself is not the installation's to change, whatever it is called.
  const providers = await change.trx.selectFrom('providers').selectAll().where('organization_id', 'is', null).forUpdate().execute();
  const models = await change.trx
    .selectFrom('models')
    .selectAll()
    .where('provider_id', 'in', (select) => select.selectFrom('providers').select('id').where('organization_id', 'is', null))
    .forUpdate()
    .execute();
  const providerIds = new Map<string, string>();
  for (const wanted of desired.providers) {
    const kept = providers.find((provider) => provider.name === wanted.name);
    providerIds.set(wanted.name, await applyProvider(change, desired.owner, wanted, kept));
  }
  for (const wanted of desired.models) {
    const providerName = wanted.name.slice(0, wanted.name.indexOf('/'));
    const providerId = providerIds.get(providerName);
    if (providerId === undefined)
      throw new RegistryError('not_found', `Model ${wanted.name}: there is no provider ${providerName}.`, ['provider']);
    await applyModel(
      change,
      desired.owner,
      wanted,
      providerId,
      models.find((model) => model.name === wanted.name),
    );
  }
  const names = new Set([...desired.providers, ...desired.models].map(({ name }) => name));
  for (const model of models) {
    if (isForsaken(model, desired.owner, names)) await archive(change, 'models', model);
  }
  for (const provider of providers) {
    if (isForsaken(provider, desired.owner, names)) await archive(change, 'providers', provider);
  }
}

async function applyProvider(
  change: Change,
  owner: Owner,
  wanted: DesiredProvider,
  kept: Selectable<ProviderTable> | undefined,
): Promise<string> {
  const mark = ownershipMark(owner, 'Provider', wanted.name);
  const after = {
    protocol: wanted.protocol,
    base_url: wanted.baseUrl,
    credential: wanted.credential,
    options: { ...wanted.options },
    managed_by: mark,
    archived_at: null,
  };
  const now = new Date(change.clock.now());
  if (kept === undefined) {
    const id = mintRowId(change);
    await change.trx
      .insertInto('providers')
      .values({ id, organization_id: null, name: wanted.name, ...after, version: 1, created_at: now, updated_at: now })
      .execute();
    await recordProvider(change, 'provider.create', id, wanted.name, differences({}, after));
    return id;
  }
  requireOwn(kept, owner, `provider ${wanted.name}`);
  const changes = differences(kept, after);
  if (changes.length === 0) return kept.id;
  await change.trx
    .updateTable('providers')
    .set({ ...after, version: kept.version + 1, updated_at: now })
    .where('id', '=', kept.id)
    .execute();
  await recordProvider(change, 'provider.update', kept.id, wanted.name, changes);
  return kept.id;
}

async function applyModel(
  change: Change,
  owner: Owner,
  wanted: DesiredModel,
  providerId: string,
  kept: Selectable<ModelTable> | undefined,
): Promise<void> {
  const after = {
    provider_id: providerId,
    upstream_model: wanted.upstreamModel,
    context_window: wanted.contextWindow === null ? null : BigInt(wanted.contextWindow),
    max_output_tokens: wanted.maxOutputTokens === null ? null : BigInt(wanted.maxOutputTokens),
    managed_by: ownershipMark(owner, 'Model', wanted.name),
    archived_at: null,
  };
  const now = new Date(change.clock.now());
  let id = kept?.id;
  if (id === undefined) {
    id = mintRowId(change);
    await change.trx
      .insertInto('models')
      .values({ id, name: wanted.name, ...after, version: 1, created_at: now, updated_at: now })
      .execute();
    await recordModel(change, 'model.create', id, wanted.name, differences({}, auditable(after)));
  } else if (kept !== undefined) {
    requireOwn(kept, owner, `model ${wanted.name}`);
    const { provider_id: _provider, ...mutable } = after;
    const changes = differences(auditable(kept), auditable(mutable));
    if (changes.length > 0) {
      await change.trx
        .updateTable('models')
        .set({ ...mutable, version: kept.version + 1, updated_at: now })
        .where('id', '=', id)
        .execute();
      await recordModel(change, 'model.update', id, wanted.name, changes);
    }
  }
  await applyPrice(change, id, wanted);
}

/** Adds a price version where the newest one differs; history is never rewritten. An unpriced model keeps the prices it had. */
async function applyPrice(change: Change, modelId: string, wanted: DesiredModel): Promise<void> {
  if (wanted.price === null) return;
  const newest = await change.trx
    .selectFrom('model_prices')
    .select('price_version')
    .where('model_id', '=', modelId)
    .where('organization_id', 'is', null)
    .orderBy('valid_from', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (newest?.price_version === wanted.price.version) return;
  const now = new Date(change.clock.now());
  await change.trx
    .insertInto('price_versions')
    .values({ name: wanted.price.version, sheet: JSON.stringify(wanted.price.sheet), created_at: now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  await change.trx
    .insertInto('model_prices')
    .values({
      model_id: modelId,
      organization_id: null,
      // The first price holds for everything before it too: a model is never served before it has one.
      valid_from: newest === undefined ? new Date(0) : now,
      price_version: wanted.price.version,
      source: wanted.price.source,
      created_at: now,
    })
    .execute();
  await recordModel(change, 'model.price', modelId, wanted.name, [
    { field: 'price_version', from: newest?.price_version ?? null, to: wanted.price.version },
  ]);
}

function requireOwn(row: { readonly managed_by: string | null }, owner: Owner, what: string): void {
  if (row.managed_by === null || row.managed_by.startsWith(`${owner}:`)) return;
  // A file may take over what was found in the environment, since it is the more explicit statement.
  if (owner === 'file' && row.managed_by.startsWith('environment:')) return;
  throw new RegistryError('name_taken', `The ${what} is owned by ${row.managed_by}.`, ['name']);
}

function isForsaken(
  row: { readonly managed_by: string | null; readonly archived_at: Date | null; readonly name: string },
  owner: Owner,
  wanted: ReadonlySet<string>,
): boolean {
  return row.archived_at === null && row.managed_by?.startsWith(`${owner}:`) === true && !wanted.has(row.name);
}

async function archive(
  change: Change,
  table: 'providers' | 'models',
  row: { readonly id: string; readonly name: string; readonly version: number },
): Promise<void> {
  const now = new Date(change.clock.now());
  const after = { archived_at: now, updated_at: now, version: row.version + 1 };
  await change.trx.updateTable(table).set(after).where('id', '=', row.id).execute();
  const changes = [{ field: 'archived_at', from: null, to: now.toISOString() }];
  if (table === 'providers') await recordProvider(change, 'provider.archive', row.id, row.name, changes);
  else await recordModel(change, 'model.archive', row.id, row.name, changes);
}

/** Rows as JSON can hold them: 64-bit integers as text. */
function auditable(row: Readonly<Record<string, unknown>> | Selectable<ModelTable>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([field, value]) => [field, typeof value === 'bigint' ? value.toString() : value]));
}

function recordProvider(
  change: Change,
  action: string,
  id: string,
  name: string,
  changes: ReturnType<typeof differences>,
): Promise<string> {
  return recordChange(change, { action, targets: [{ type: 'provider', id: idFromUuid('provider', id), name }], changes });
}

function recordModel(change: Change, action: string, id: string, name: string, changes: ReturnType<typeof differences>): Promise<string> {
  return recordChange(change, { action, targets: [{ type: 'model', id: idFromUuid('model', id), name }], changes });
}
