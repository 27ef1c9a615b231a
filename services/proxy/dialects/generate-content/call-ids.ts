/**
 * Which call a result belongs to. Google's clients may leave ids out, of calls and of results: then a result is that of the first call of its function
 * which has none yet. A call without an id gets one.
 */
export class CallIds {
  #made = 0;
  readonly #open: { readonly id: string; readonly name: string }[] = [];

  /** The id of a call. */
  called(name: string, id: string | null): string {
    const known = id ?? `google_call_${this.#made++}`;
    this.#open.push({ id: known, name });
    return known;
  }

  /** The id of the call that a result is of; null: it names none, and there is none. */
  answered(name: string, id: string | null): string | null {
    const place = this.#open.findIndex((call) => (id === null ? call.name === name : call.id === id));
    const call = place < 0 ? undefined : this.#open.splice(place, 1)[0];
    return id ?? call?.id ?? null;
  }
}
