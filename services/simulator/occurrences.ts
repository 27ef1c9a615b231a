/**
 * How often each request was seen, so that a repeated request gets an id of its own, and a retry of one that `flaky` failed may succeed.
 *
 * Bound: two generations of at most `generationSize` fingerprints. When the young one is full the old one is forgotten, and its requests count
 * from 0 again. (A single `Map` that drops its oldest key walks over all deleted keys first, on every request.)
 */
export class Occurrences {
  readonly #generationSize: number;
  #young = new Map<number, number>();
  #old = new Map<number, number>();

  constructor(generationSize = 50_000) {
    this.#generationSize = generationSize;
  }

  /** Counts this request; returns how many equal ones came before. */
  count(requestFingerprint: number): number {
    const before = this.#young.get(requestFingerprint) ?? this.#old.get(requestFingerprint) ?? 0;
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(requestFingerprint, before + 1);
    return before;
  }
}
