/** One row for each key asked for, in that order; null where there is none that the viewer may see. */
export type ByIds<Row> = (ids: readonly string[]) => Promise<readonly (Row | null)[]>;
