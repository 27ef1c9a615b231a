import type { Selectable, Updateable } from 'kysely';
import type { ModelTable } from '../../schema/tables/model.table.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { Change } from './change.ts';
import { differences, mintRowId, RegistryError, recordChange, requireChangeable } from './change.ts';
import type { ModelPriceInput } from './model-prices.ts';
import { recordModelPrice, writeModelPrice } from './model-prices.ts';
import { nameTaken, nextVersion } from './own-rows.ts';
import { refuseShared, requireProvider } from './providers.ts';
import { refuseRouted } from './routed.ts';
import { visibleModels } from './visible-models.ts';

export type Model = Selectable<ModelTable>;

/** A name without its provider: anything printable that needs no quoting. */
const BARE_NAME = /^[^\s]{1,190}$/;
const MAX_UPSTREAM_LENGTH = 256;
const MOST_TOKENS = 1_000_000_000;

/** What may be set on a model by whoever creates or updates it. */
export interface ModelSettings {
  /** The provider's own name of the model. */
  readonly upstreamModel: string;
  /** Tokens; null = not known. */
  readonly contextWindow: number | null;
  readonly maxOutputTokens: number | null;
}

/**
 * Creates a model of the organization's own provider.
 * @param input.name without the provider's; applications ask for `provider/name`. @param input.upstreamModel null = the same name.
 * @param input.price null = unpriced: its requests are booked as unrated, never as free.
 * @throws RegistryError `not_found` (provider), `managed_by_file` (shared provider), `name_taken` (a model or a route), `invalid`.
 */
export async function createModel(
  change: Change,
  input: Omit<ModelSettings, 'upstreamModel'> & {
    readonly providerId: string;
    readonly name: string;
    readonly upstreamModel: string | null;
    readonly price: ModelPriceInput | null;
  },
): Promise<{ model: Model; auditEventId: string }> {
  const provider = await requireProvider(change, input.providerId, ['providerId']);
  refuseShared(provider.organization_id, 'provider');
  if (!BARE_NAME.test(input.name))
    throw new RegistryError('invalid', 'A model has a name of 1 to 190 characters without spaces.', ['name']);
  const name = `${provider.name}/${input.name}`;
  const route = await change.trx
    .selectFrom('routes')
    .select('id')
    .where('organization_id', '=', change.organizationId)
    .where('name', '=', input.name)
    .where('archived_at', 'is', null)
    .executeTakeFirst();
  if (route !== undefined) throw new RegistryError('name_taken', `A live route is named ${input.name}.`, ['name']);
  const fields = columnsOf({ ...input, upstreamModel: input.upstreamModel ?? input.name });
  const now = new Date(change.clock.now());
  const model = await change.trx
    .insertInto('models')
    .values({
      id: mintRowId(change),
      provider_id: provider.id,
      name,
      ...fields,
      managed_by: null,
      version: 1,
      created_at: now,
      updated_at: now,
      archived_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(nameTaken(`A live model named ${name} exists.`));
  const owned = { ...model, organization_id: provider.organization_id };
  const price = input.price === null ? null : await writeModelPrice(change, owned, { price: input.price, validFrom: null });
  const auditEventId = await recordModel(change, 'model.create', model, {}, { name, ...fields });
  if (price !== null) await recordModelPrice(change, model, price);
  return { model, auditEventId };
}

/** @throws RegistryError `not_found`, `archived`, `managed_by_file` (also for a shared provider's model), `version_conflict`, `invalid`. */
export async function updateModel(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number } & Partial<ModelSettings>,
): Promise<{ model: Model; auditEventId: string }> {
  const before = await lockModel(change, input.id, input.expectedVersion);
  const after = columnsOf({
    upstreamModel: input.upstreamModel ?? before.upstream_model,
    contextWindow: input.contextWindow === undefined ? countOf(before.context_window) : input.contextWindow,
    maxOutputTokens: input.maxOutputTokens === undefined ? countOf(before.max_output_tokens) : input.maxOutputTokens,
  });
  const model = await write(change, before, after);
  return { model, auditEventId: await recordModel(change, 'model.update', model, before, after) };
}

/** Takes a model out of use. @throws RegistryError as {@link updateModel}; `invalid` while a live route goes to it. */
export async function archiveModel(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number },
): Promise<{ model: Model; auditEventId: string }> {
  const before = await lockModel(change, input.id, input.expectedVersion);
  await refuseRouted(change, 'model_id', [before.id]);
  const after = { archived_at: new Date(change.clock.now()) };
  const model = await write(change, before, after);
  return { model, auditEventId: await recordModel(change, 'model.archive', model, before, after) };
}

async function lockModel(change: Change, id: string, expectedVersion: number): Promise<Model> {
  const model = requireChangeable(await visibleModels(change, id).forUpdate('models').executeTakeFirst(), 'model', expectedVersion);
  refuseShared(model.organization_id, 'model');
  return model;
}

function write(change: Change, before: Model, after: Updateable<ModelTable>): Promise<Model> {
  return change.trx
    .updateTable('models')
    .set({ ...after, ...nextVersion(change, before) })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

function columnsOf(settings: ModelSettings): Pick<Model, 'upstream_model' | 'context_window' | 'max_output_tokens'> {
  const { upstreamModel, contextWindow, maxOutputTokens } = settings;
  if (upstreamModel.length < 1 || upstreamModel.length > MAX_UPSTREAM_LENGTH) {
    throw new RegistryError('invalid', `The provider's name of a model has 1 to ${MAX_UPSTREAM_LENGTH} characters.`, ['upstreamModel']);
  }
  return {
    upstream_model: upstreamModel,
    context_window: tokens(contextWindow, 'contextWindow'),
    max_output_tokens: tokens(maxOutputTokens, 'maxOutputTokens'),
  };
}

function tokens(count: number | null, field: string): bigint | null {
  if (count === null) return null;
  if (Number.isInteger(count) && count >= 1 && count <= MOST_TOKENS) return BigInt(count);
  throw new RegistryError('invalid', `${field} is a number of tokens from 1 to ${MOST_TOKENS}.`, [field]);
}

function countOf(column: bigint | null): number | null {
  return column === null ? null : Number(column);
}

function recordModel(change: Change, action: string, model: Model, before: object, after: object): Promise<string> {
  return recordChange(change, {
    action,
    targets: [{ type: 'model', id: idFromUuid('model', model.id), name: model.name }],
    changes: differences(asJson(before), asJson(after)),
  });
}

/** Rows as JSON can hold them: 64-bit integers as text. */
function asJson(row: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([field, value]) => [field, typeof value === 'bigint' ? value.toString() : value]));
}
