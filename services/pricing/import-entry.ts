import { CATALOGUE_MODES, type CatalogueMode, type CatalogueModel } from './catalogue.ts';
import type { Omission, Refusal } from './import-reasons.ts';
import { IMPLAUSIBLE_PICO_PER_TOKEN, KNOWN_BAD_ENTRIES } from './known-bad-prices.ts';
import { PRICED_UNITS, type PriceSheet, parsePriceSheet } from './price-sheet.ts';
import { modelNameOf, providerNameOf } from './provider-name.ts';
import {
  type DraftPrices,
  type DraftTiers,
  readPrice,
  readSearchPrice,
  readTablePrices,
  type TableEntry,
  type TablePrices,
} from './table-prices.ts';
import { isAboveZero, type Note, tidyTokenPrices } from './tidy-token-prices.ts';

export type ImportedEntry =
  | {
      readonly kind: 'accepted';
      readonly model: Omit<CatalogueModel, 'prices'>;
      readonly sheet: PriceSheet;
      /** Names what was left out, e.g. `priority`. */
      readonly omitted: readonly { readonly omission: Omission; readonly what: string }[];
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly detail: string };

/** Reads one entry: its prices as a sheet, or why they are not taken. Pure. */
export function importEntry(key: string, entry: TableEntry): ImportedEntry {
  const mode = CATALOGUE_MODES.find((known) => known === entry.mode);
  if (mode === undefined) return refused('mode_left_out', typeof entry.mode === 'string' ? entry.mode : 'none stated');
  if (SIZE_CLASS.test(key)) return refused('size_class', '');
  const knownBad = KNOWN_BAD_ENTRIES.get(key);
  if (knownBad !== undefined) return refused('known_bad', knownBad);
  try {
    return readEntry(key, entry, mode);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return refused('not_exact', error.message);
  }
}

function readEntry(key: string, entry: TableEntry, mode: CatalogueMode): ImportedEntry {
  const prices = readTablePrices(entry);
  const search = readSearchPrice(entry);
  if (search === null && ALWAYS_SEARCHES.test(key)) return refused('search_fee_by_size', '');
  const refusal = checkEntry(prices, mode);
  if (refusal !== null) return refusal;

  const omitted: { omission: Omission; what: string }[] = [];
  const note: Note = (omission, what) => {
    omitted.push({ omission, what });
  };
  const tokenPriced = isAboveZero(prices.base.standard.input);
  if (tokenPriced) tidyTokenPrices(entry, prices, mode, note);
  else dropTokenPrices(prices);
  takePieces(prices, search, mode, tokenPriced, note);

  const longContext = [...prices.long]
    .sort(([left], [right]) => left - right)
    .map(([aboveInputTokens, tiers]) => ({ aboveInputTokens, ...textOf(tiers) }));
  return {
    kind: 'accepted',
    model: describe(key, entry, mode),
    sheet: parsePriceSheet({ ...textOf(prices.base), ...(longContext.length === 0 ? {} : { longContext }) }),
    omitted,
  };
}

/** `1024-x-1024/dall-e-2`, `azure/high/1024-x-1024/gpt-image-1`, `max-x-max/50-steps/…`. */
const SIZE_CLASS = /(^|\/)(\d+-x-\d+|max-x-max)\//;
/** Models that search for every answer, asked or not; elsewhere a search is counted when it happens. */
const ALWAYS_SEARCHES = /^perplexity\/|-search-/;
/** Billed on top of tokens by what is put in, and not counted in tokens: embeddings of pictures, sound and film. */
const INPUT_PIECE = /^input_cost_per_(image|character|second|pixel|video|audio_per_second)/;
const PIECE_BESIDE_TOKENS = /_per_(image|second|character|pixel|video_per_second|audio_per_second)/;

function refused(refusal: Refusal, detail: string): ImportedEntry & { kind: 'refused' } {
  return { kind: 'refused', refusal, detail };
}

/** Refuses what cannot be priced as a whole. */
function checkEntry(prices: TablePrices, mode: CatalogueMode): (ImportedEntry & { kind: 'refused' }) | null {
  const { standard } = prices.base;
  for (const tiers of [prices.base, ...prices.long.values()]) {
    for (const unit of PRICED_UNITS) {
      const price = tiers.standard[unit];
      if (price !== undefined && price !== null && price > IMPLAUSIBLE_PICO_PER_TOKEN) return refused('implausible', unit);
    }
  }
  if (prices.others.has('citation_cost_per_token')) return refused('unit_unsupported', 'citation_cost_per_token');
  const inputPriced = isAboveZero(standard.input);
  const outputPriced = isAboveZero(standard.output) || isAboveZero(standard.outputImage) || isAboveZero(standard.outputAudio);
  if (inputPriced) {
    if (mode === 'embedding') {
      const piece = [...prices.others.keys()].find((name) => INPUT_PIECE.test(name));
      return piece === undefined ? null : refused('unit_unsupported', piece);
    }
    if (mode === 'rerank') return null;
    return outputPriced ? null : refused('one_sided', 'input');
  }
  if (outputPriced) return refused('one_sided', 'output');
  if (pieceOf(prices, mode) !== null) return null;
  const [other] = prices.others.keys();
  if (other !== undefined) return refused('unit_unsupported', other);
  return standard.input === undefined && standard.output === undefined ? refused('no_price', '') : refused('zero_price', '');
}

const PIECE_FIELDS = { input_cost_per_second: 'audioSecond', output_cost_per_image: 'image', input_cost_per_query: 'search' } as const;

/** The field that prices a model which is not billed by tokens, or null. */
function pieceOf(prices: TablePrices, mode: CatalogueMode): keyof typeof PIECE_FIELDS | null {
  const { others } = prices;
  const inputSecond = others.get('input_cost_per_second');
  const outputSecond = others.get('output_cost_per_second');
  if (mode === 'audio_transcription' && inputSecond !== undefined && (outputSecond === undefined || outputSecond === inputSecond)) {
    return 'input_cost_per_second';
  }
  const perPicture = others.size === 1 && others.has('output_cost_per_image') && prices.base.standard.input === undefined;
  if ((mode === 'image_generation' || mode === 'image_edit') && perPicture) return 'output_cost_per_image';
  return mode === 'rerank' && others.has('input_cost_per_query') ? 'input_cost_per_query' : null;
}

/** Zeros beside a price per piece are no statement about tokens. */
function dropTokenPrices(prices: TablePrices): void {
  for (const tiers of [prices.base, ...prices.long.values()]) {
    for (const draft of Object.values(tiers)) for (const unit of PRICED_UNITS) delete draft[unit];
  }
}

function takePieces(prices: TablePrices, search: bigint | null | undefined, mode: CatalogueMode, tokenPriced: boolean, note: Note): void {
  const { standard } = prices.base;
  if (search !== undefined) standard.search = search;
  if (search === null) note('search_fee_varies', 'search');
  const taken = tokenPriced ? null : pieceOf(prices, mode);
  for (const [field, text] of prices.others) {
    const unit = field === taken ? PIECE_FIELDS[taken] : field === 'input_cost_per_request' ? 'request' : undefined;
    if (unit !== undefined) standard[unit] = readPrice(field, text);
    else if (field === 'output_cost_per_second' && taken === 'input_cost_per_second') note('charged_once', field);
    else note(tokenPriced && PIECE_BESIDE_TOKENS.test(field) ? 'counted_as_tokens' : 'fee_not_counted', field);
  }
  // A reranker billed by search unit takes its tokens for nothing: here the table's 0 is a statement.
  if (taken === 'input_cost_per_query') {
    standard.input = 0n;
    standard.output = 0n;
  }
}

function textOf(tiers: DraftTiers): Record<string, Record<string, string | null>> {
  return Object.fromEntries(Object.entries(tiers).map(([tier, draft]) => [tier, pricesAsText(draft)]));
}

function pricesAsText(draft: DraftPrices): Record<string, string | null> {
  const text: Record<string, string | null> = {};
  for (const unit of PRICED_UNITS) {
    const price = draft[unit];
    if (price !== undefined) text[unit] = price === null ? null : price.toString();
  }
  return text;
}

function describe(key: string, entry: TableEntry, mode: CatalogueMode): Omit<CatalogueModel, 'prices'> {
  const tableProvider = typeof entry.litellm_provider === 'string' ? entry.litellm_provider : 'unknown';
  const contextWindow = countOf(entry.max_input_tokens);
  const maxOutputTokens = countOf(entry.max_output_tokens);
  const { deprecation_date: deprecatedOn } = entry;
  return {
    provider: providerNameOf(tableProvider),
    model: modelNameOf(key, tableProvider),
    mode,
    ...(contextWindow === null ? {} : { contextWindow }),
    ...(maxOutputTokens === null ? {} : { maxOutputTokens }),
    ...(typeof deprecatedOn === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(deprecatedOn) ? { deprecatedOn } : {}),
    source: key,
  };
}

/** Token limits are whole numbers, though some entries write them as `128000.0`. */
function countOf(value: unknown): number | null {
  const count = typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isSafeInteger(count) && count > 0 ? count : null;
}
