/** What differs among the models that Google serves under one dialect. */
export interface GeminiModel {
  /** Counted as in its name, `gemini-2.5-pro` is of 2.5; null: of another family. */
  readonly generation: number | null;
  readonly thinking: 'none' | 'budget' | 'level';
  /** Cannot be asked not to think. */
  readonly pro: boolean;
}

const GENERATION = /gemini-(\d+(?:\.\d+)?)/;

/** What a model can, by its name. A name that says no generation (`gemini-flash-latest`) is that of the newest. */
export function geminiModel(upstreamModel: string): GeminiModel {
  const name = upstreamModel.toLowerCase();
  const said = GENERATION.exec(name)?.[1];
  const newest = name.includes('gemini') ? Number.POSITIVE_INFINITY : null;
  const generation = said === undefined ? newest : Number(said);
  const thinking = generation === null || generation < 2.5 ? 'none' : generation < 3 ? 'budget' : 'level';
  return { generation, thinking, pro: name.includes('-pro') };
}

/** Whether it belongs to those who want to see again how they came to a call, and take media as part of what a tool gave. */
export function isThirdOrLater({ generation }: GeminiModel): boolean {
  return generation !== null && generation >= 3;
}
