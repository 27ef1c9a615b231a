import type { JournalItem } from './journal-feed.ts';

/** Most positions a channel remembers, and for how long: what a reader can lag behind without asking the database. */
const mostRemembered = 2_000;
const rememberedMs = 60_000;

/**
 * The newest part of one organization's journal, shared by all who follow it: each holds a position, not a queue, so a slow
 * reader costs nothing.
 */
export class JournalChannel {
  readonly organizationId: string;
  #items: JournalItem[] = [];
  #head: bigint;
  #lagMs = 0;
  readonly #wakes = new Set<() => void>();

  /** @param head the last position given out when the channel began to follow. */
  constructor(organizationId: string, head: bigint) {
    this.organizationId = organizationId;
    this.#head = head;
  }

  /** The last position that is known. */
  get head(): bigint {
    return this.#head;
  }

  /** How old the newest item was when it came here. */
  get lagMs(): number {
    return this.#lagMs;
  }

  /** Adds what follows the head, in order, and wakes who waits. */
  append(items: readonly JournalItem[], nowMs: number): void {
    const last = items.at(-1);
    if (last === undefined) return;
    this.#items.push(...items);
    this.#head = last.position;
    this.#lagMs = Math.max(
      0,
      nowMs - (last.usage === null ? last.sequencedAt : new Date(last.usage.occurred_at.getTime() + (last.usage.total_ms ?? 0))).getTime(),
    );
    this.#forget(nowMs);
    this.wake();
  }

  /** Up to `limit` remembered items after a position, or null where the next one is forgotten or was before this channel. */
  after(position: bigint, limit: number): readonly JournalItem[] | null {
    if (position >= this.#head) return [];
    const first = this.#items[0];
    if (first === undefined || first.position > position + 1n) return null;
    const start = Number(position + 1n - first.position);
    return this.#items.slice(start, start + limit);
  }

  /** Calls `wake` whenever there is something new; returns how to stop that. */
  follow(wake: () => void): () => void {
    this.#wakes.add(wake);
    return () => this.#wakes.delete(wake);
  }

  wake(): void {
    for (const wake of this.#wakes) wake();
  }

  /** Forgets everything and goes on from another head: positions of before mean nothing any more. */
  reset(head: bigint): void {
    this.#items = [];
    this.#head = head;
    this.wake();
  }

  #forget(nowMs: number): void {
    const oldestMs = nowMs - rememberedMs;
    let forgotten = Math.max(0, this.#items.length - mostRemembered);
    while ((this.#items[forgotten]?.sequencedAt.getTime() ?? Number.POSITIVE_INFINITY) < oldestMs) forgotten += 1;
    if (forgotten > 0) this.#items.splice(0, forgotten);
  }
}
