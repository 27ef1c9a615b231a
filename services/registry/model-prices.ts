import type { Selectable } from 'kysely';
import type { ModelPriceTable } from '../../schema/tables/model-price.table.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import { sqlStateOf } from '../runtime/postgres.ts';
import type { Change } from './change.ts';
import { RegistryError, recordChange } from './change.ts';
import type { VisibleModel } from './visible-models.ts';
import { requireModel } from './visible-models.ts';

export type ModelPrice = Selectable<ModelPriceTable>;

/** A price as the caller checked it (services/pricing/price-sheet.ts): the version is the sheet's own name. */
export interface ModelPriceInput {
  readonly version: string;
  readonly sheet: unknown;
  /** Where it comes from, for people: `contract 2026-11`, … */
  readonly source: string;
}

const MAX_SOURCE_LENGTH = 200;
const ENDED = 'ended';

/**
 * Says what the organization in `change` pays for a model it sees: a negotiated price where the model is shared, the price itself
 * where it is its own. It wins over the shared price from `validFrom` on. History is only added to; what was booked stays.
 * @param input.price null ends the organization's price: then the shared one holds again, or none.
 * @param input.validFrom null = now; for the very first price of an own model, always.
 * @throws RegistryError `not_found` (model), `invalid` (the past, a second price of the same instant, no price to end).
 */
export async function setModelPrice(
  change: Change,
  input: { readonly modelId: string; readonly price: ModelPriceInput | null; readonly validFrom: Date | null },
): Promise<{ modelPrice: ModelPrice; auditEventId: string }> {
  const model = await requireModel(change, input.modelId, ['modelId']);
  const written = await writeModelPrice(change, model, input);
  return { modelPrice: written.modelPrice, auditEventId: await recordModelPrice(change, model, written) };
}

/** A price that is written and not yet audited, and the version that held before. */
export interface WrittenPrice {
  readonly modelPrice: ModelPrice;
  readonly before: string | null;
}

/**
 * Writes a price for {@link setModelPrice} and for who creates a model with one. The rows of price versions are waited for by
 * other writers, and so is the revision: whoever writes both, audits after the last write.
 * @throws RegistryError as {@link setModelPrice}.
 */
export async function writeModelPrice(
  change: Change,
  model: Pick<VisibleModel, 'id' | 'organization_id'>,
  input: { readonly price: ModelPriceInput | null; readonly validFrom: Date | null },
): Promise<WrittenPrice> {
  const now = new Date(change.clock.now());
  if (input.validFrom !== null && input.validFrom < now) {
    throw new RegistryError('invalid', 'A price cannot begin in the past: what was booked by another stays booked.', ['validFrom']);
  }
  if (input.price !== null && (input.price.source.length < 1 || input.price.source.length > MAX_SOURCE_LENGTH)) {
    throw new RegistryError('invalid', `The source of a price has 1 to ${MAX_SOURCE_LENGTH} characters.`, ['source']);
  }
  const newest = await change.trx
    .selectFrom('model_prices')
    .select('price_version')
    .where('model_id', '=', model.id)
    .where('organization_id', '=', change.organizationId)
    .orderBy('valid_from', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (input.price === null && (newest?.price_version ?? null) === null) {
    throw new RegistryError('invalid', 'This organization has no price of its own for this model.', ['price']);
  }
  if (input.price !== null) {
    await change.trx
      .insertInto('price_versions')
      .values({ name: input.price.version, sheet: JSON.stringify(input.price.sheet), created_at: now })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
  }
  // An own model is never served before it has its first price, so that one may hold for the moment between, too.
  const isFirstOfOwn = newest === undefined && model.organization_id !== null;
  const modelPrice = await change.trx
    .insertInto('model_prices')
    .values({
      model_id: model.id,
      organization_id: change.organizationId,
      valid_from: input.validFrom ?? (isFirstOfOwn ? new Date(0) : now),
      price_version: input.price?.version ?? null,
      source: input.price?.source ?? ENDED,
      created_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch((error: unknown) => {
      if (sqlStateOf(error) === '23505') throw new RegistryError('invalid', 'A price begins at this very instant already.', ['validFrom']);
      throw error;
    });
  return { modelPrice, before: newest?.price_version ?? null };
}

/** Audits a price that was written. @returns the uuid of the audit event. */
export function recordModelPrice(change: Change, model: Pick<VisibleModel, 'id' | 'name'>, written: WrittenPrice): Promise<string> {
  return recordChange(change, {
    action: 'model.price',
    targets: [{ type: 'model', id: idFromUuid('model', model.id), name: model.name }],
    changes: [
      { field: 'price_version', from: written.before, to: written.modelPrice.price_version },
      { field: 'valid_from', from: null, to: written.modelPrice.valid_from.toISOString() },
    ],
  });
}
