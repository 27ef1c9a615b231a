/** One table as a transaction sees it: what is committed at this moment, under what it has written itself. */
export class Draft<Row> {
  readonly #kept: Map<string, Row>;
  readonly #written = new Map<string, Row>();
  readonly #removed = new Set<string>();

  constructor(kept: Map<string, Row>) {
    this.#kept = kept;
  }

  get(key: string): Row | undefined {
    if (this.#removed.has(key)) return undefined;
    return this.#written.get(key) ?? this.#kept.get(key);
  }

  has(key: string): boolean {
    return !this.#removed.has(key) && (this.#written.has(key) || this.#kept.has(key));
  }

  set(key: string, row: Row): void {
    this.#removed.delete(key);
    this.#written.set(key, row);
  }

  delete(key: string): void {
    this.#written.delete(key);
    this.#removed.add(key);
  }

  apply(): void {
    for (const key of this.#removed) this.#kept.delete(key);
    for (const [key, row] of this.#written) this.#kept.set(key, row);
  }
}
