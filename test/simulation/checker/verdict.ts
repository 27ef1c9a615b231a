/** An invariant that did not hold. */
export interface Breach {
  /** Its name, the same for every breach of it. */
  readonly invariant: string;
  readonly detail: string;
}

/**
 * Where breaches are told. They are not thrown: product code stands between and would take them for failures to recover from.
 * The run ends behind the step in which the first one came.
 */
export interface Verdict {
  breach(invariant: string, detail: string): void;
  readonly first: Breach | null;
}

export function createVerdict(): Verdict {
  let first: Breach | null = null;
  return {
    breach: (invariant, detail) => {
      first ??= { invariant, detail };
    },
    get first() {
      return first;
    },
  };
}
