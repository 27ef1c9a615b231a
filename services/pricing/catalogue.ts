import type { PriceSheet } from './price-sheet.ts';

/** What kind of call a model answers. */
export const CATALOGUE_MODES = [
  'chat',
  'completion',
  'responses',
  'embedding',
  'rerank',
  'image_generation',
  'image_edit',
  'audio_transcription',
  'audio_speech',
] as const;
export type CatalogueMode = (typeof CATALOGUE_MODES)[number];

/** A price and the day from whose start (UTC) it holds. */
export type CataloguePrice = { readonly validFrom: string; readonly sheet: PriceSheet };

/** A model as one provider offers it. */
export type CatalogueModel = {
  /** Our name of the provider, e.g. `openai`, `vertex`, `together`. */
  readonly provider: string;
  /** The provider's own name of the model, in its own case. */
  readonly model: string;
  readonly mode: CatalogueMode;
  /** Most input tokens the model takes; absent = not known. */
  readonly contextWindow?: number;
  readonly maxOutputTokens?: number;
  /** Day the provider announced as the model's last; such models stay priced, since somebody may still be billed for them. */
  readonly deprecatedOn?: string;
  /** Key of the entry in the source table. */
  readonly source: string;
  /** Oldest first. */
  readonly prices: readonly CataloguePrice[];
};

/** The file `catalogue.json`: one model a line, sorted by provider and model, so that a change of price is a line of a diff. */
export type Catalogue = {
  readonly format: typeof CATALOGUE_FORMAT;
  readonly source: {
    readonly name: string;
    /** Day of the table that was imported last. */
    readonly stateOn: string;
    readonly sha256: string;
  };
  readonly models: readonly CatalogueModel[];
};
export const CATALOGUE_FORMAT = 1;

/** The text of the file. */
export function printCatalogue(catalogue: Catalogue): string {
  const lines = catalogue.models.map((model) => JSON.stringify(model)).join(',\n');
  return `{"format":${catalogue.format},\n"source":${JSON.stringify(catalogue.source)},\n"models":[\n${lines}\n]}\n`;
}
