import { existsSync, readFileSync } from 'node:fs';
import { CATALOGUE_FORMAT, type Catalogue, type CatalogueModel } from './catalogue.ts';
import { type PriceSheet, parsePriceSheet } from './price-sheet.ts';

/** One price of a model, oldest first in lists. */
export type BookedPrice = {
  /** Epoch milliseconds from which it holds. */
  readonly validFromMs: number;
  readonly sheet: PriceSheet;
};

/** What the catalogue knows. Everything is in memory; nothing here does I/O or changes. */
export type PriceBook = {
  /** Day of the table the newest prices are from, YYYY-MM-DD. */
  readonly stateOn: string;
  /** The sheet in force at a time, or null: unknown model, or a time before its first price. The same object for the same price. */
  readonly sheetFor: (provider: string, model: string, atMs: number) => PriceSheet | null;
  /** All prices of a model, oldest first; empty when it is unknown. */
  readonly pricesOf: (provider: string, model: string) => readonly BookedPrice[];
  /** What else is known of a model: mode, limits, last day. */
  readonly modelOf: (provider: string, model: string) => CatalogueModel | null;
  /** Providers that offer a model of exactly this name, in alphabetical order. */
  readonly providersOf: (model: string) => readonly string[];
  /** Models of one provider, in alphabetical order. */
  readonly modelsOf: (provider: string) => readonly CatalogueModel[];
};

/** A book over a catalogue. Sheets are parsed when first asked for. */
export function createPriceBook(catalogue: Catalogue): PriceBook {
  const models = new Map(catalogue.models.map((model) => [nameOf(model.provider, model.model), model]));
  const byModel = Map.groupBy(catalogue.models, ({ model }) => model);
  const byProvider = Map.groupBy(catalogue.models, ({ provider }) => provider);
  const parsed = new Map<string, readonly BookedPrice[]>();

  const pricesOf = (provider: string, model: string): readonly BookedPrice[] => {
    const name = nameOf(provider, model);
    const known = parsed.get(name);
    if (known !== undefined) return known;
    const entry = models.get(name);
    if (entry === undefined) return [];
    const prices = entry.prices.map(({ validFrom, sheet }) => ({ validFromMs: Date.parse(validFrom), sheet: parsePriceSheet(sheet) }));
    parsed.set(name, prices);
    return prices;
  };

  return {
    stateOn: catalogue.source.stateOn,
    sheetFor: (provider, model, atMs) => pricesOf(provider, model).findLast(({ validFromMs }) => validFromMs <= atMs)?.sheet ?? null,
    pricesOf,
    modelOf: (provider, model) => models.get(nameOf(provider, model)) ?? null,
    providersOf: (model) => (byModel.get(model) ?? []).map(({ provider }) => provider),
    modelsOf: (provider) => byProvider.get(provider) ?? [],
  };
}

function nameOf(provider: string, model: string): string {
  return `${provider}/${model}`;
}

const CATALOGUE_FILE = new URL('catalogue.json', import.meta.url);

/**
 * The catalogue that comes with the product, or null when none was imported yet.
 * @throws {RangeError} when the file has another format than this code.
 */
export function readCatalogue(): Catalogue | null {
  if (!existsSync(CATALOGUE_FILE)) return null;
  const catalogue = JSON.parse(readFileSync(CATALOGUE_FILE, 'utf8')) as Catalogue;
  if (catalogue.format !== CATALOGUE_FORMAT) throw new RangeError(`catalogue.json has format ${catalogue.format}, not ${CATALOGUE_FORMAT}`);
  return catalogue;
}

let shipped: PriceBook | undefined;

/** The book of the catalogue that comes with the product; read once a process, some 10 ms the first time. */
export function shippedPriceBook(): PriceBook {
  if (shipped === undefined) {
    const catalogue = readCatalogue();
    if (catalogue === null) throw new Error('services/pricing/catalogue.json is missing');
    shipped = createPriceBook(catalogue);
  }
  return shipped;
}
