import { CATALOGUE_FORMAT, type Catalogue, type CatalogueModel, type CataloguePrice } from './catalogue.ts';
import { type ImportedEntry, importEntry } from './import-entry.ts';
import type { Omission, Refusal } from './import-reasons.ts';
import { priceVersion } from './price-sheet.ts';
import { isRecord } from './table-prices.ts';

/** What became of every entry of the source table: each is in exactly one of `taken`, `sameAs` and `refused`. */
export type ImportOutcome = {
  readonly catalogue: Catalogue;
  /** Entries of the table, without its two that describe the table itself. */
  readonly entries: number;
  readonly taken: readonly string[];
  /** Second keys of a model that was taken under its first one at the same prices. */
  readonly sameAs: readonly { readonly key: string; readonly first: string }[];
  readonly refused: readonly { readonly key: string; readonly refusal: Refusal; readonly detail: string }[];
  readonly omitted: readonly { readonly key: string; readonly omission: Omission; readonly what: string }[];
};

type Accepted = ImportedEntry & { readonly kind: 'accepted' };

/** Keys of the table that are its documentation and its pattern rules. */
const NOT_MODELS = new Set(['sample_spec', 'fallback_generalizations']);

/**
 * The next catalogue: the table's prices, after those of the previous catalogue where they changed since. Pure.
 * @param table what {@link parseLosslessJson} gave.
 * @param source where it is from; its `stateOn` is the day from which its prices hold.
 * @throws {RangeError} when the table is no table, or is older than the previous catalogue.
 */
export function buildCatalogue(table: unknown, source: Catalogue['source'], previous: Catalogue | null): ImportOutcome {
  if (!isRecord(table)) throw new RangeError('the price table is no JSON object');
  if (previous !== null && previous.source.stateOn > source.stateOn) {
    throw new RangeError(`the catalogue is of ${previous.source.stateOn} already, later than ${source.stateOn}`);
  }
  const refused: { key: string; refusal: Refusal; detail: string }[] = [];
  const accepted = new Map<string, Accepted[]>();
  let entries = 0;
  for (const [key, entry] of Object.entries(table)) {
    if (NOT_MODELS.has(key) || !isRecord(entry)) continue;
    entries++;
    const imported = importEntry(key, entry);
    if (imported.kind === 'refused') {
      refused.push({ key, refusal: imported.refusal, detail: imported.detail });
    } else {
      const name = `${imported.model.provider}/${imported.model.model}`;
      accepted.set(name, [...(accepted.get(name) ?? []), imported]);
    }
  }

  const history = new Map(previous?.models.map((model) => [`${model.provider}/${model.model}`, model.prices]));
  const models: CatalogueModel[] = [];
  const taken: string[] = [];
  const sameAs: { key: string; first: string }[] = [];
  const omitted: { key: string; omission: Omission; what: string }[] = [];
  for (const [name, candidates] of accepted) {
    const [first, ...others] = candidates;
    if (first === undefined) continue;
    if (others.some(({ sheet }) => priceVersion(sheet) !== priceVersion(first.sheet))) {
      for (const { model } of candidates) refused.push({ key: model.source, refusal: 'ambiguous', detail: name });
      continue;
    }
    taken.push(first.model.source);
    for (const { model } of others) sameAs.push({ key: model.source, first: first.model.source });
    for (const note of first.omitted) omitted.push({ key: first.model.source, ...note });
    models.push({ ...first.model, prices: followedBy(history.get(name) ?? [], { validFrom: source.stateOn, sheet: first.sheet }) });
  }
  models.sort((left, right) => compare(left.provider, right.provider) || compare(left.model, right.model));
  return { catalogue: { format: CATALOGUE_FORMAT, source, models }, entries, taken, sameAs, refused, omitted };
}

/** A model's prices with the newest one: nothing is added when it did not change, and a second import of one day replaces the first. */
function followedBy(earlier: readonly CataloguePrice[], newest: CataloguePrice): readonly CataloguePrice[] {
  const before = earlier.filter(({ validFrom }) => validFrom < newest.validFrom);
  const last = before.at(-1);
  return last !== undefined && priceVersion(last.sheet) === priceVersion(newest.sheet) ? before : [...before, newest];
}

/** By code unit, so that the order does not depend on anybody's locale. */
function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
