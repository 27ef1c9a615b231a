import type { ShareBook, TakenShare } from '../../../../services/proxy/shares/share-book.ts';
import { createShareBook } from '../../../../services/proxy/shares/share-book.ts';
import type { ShareAnswer, ShareMessage } from '../../../../services/proxy/shares/share-protocol.ts';
import type { MirroredLimit } from './share-mirror.ts';

/** Whatever hears what nodes tell: the mirror or the database. */
export type Tell = (node: string, epoch: number, message: ShareMessage, now: number) => ShareAnswer | Promise<ShareAnswer>;

interface Call {
  readonly node: string;
  readonly limit: string;
  readonly group: string;
  readonly amount: bigint;
  readonly at: number;
  readonly taken: readonly TakenShare[];
  readonly book: ShareBook;
  /** It was let through before its node was given up: others may have what it has. */
  isGivenUp: boolean;
}

interface Word {
  readonly node: string;
  readonly epoch: number;
  readonly message: ShareMessage;
}

interface Answer {
  readonly node: string;
  readonly book: ShareBook;
  readonly message: ShareMessage;
  readonly answer: ShareAnswer;
}

interface Node {
  epoch: number;
  book: ShareBook;
  /** Its clock is ahead of the database's by this. */
  readonly offset: number;
}

/** What can happen to nodes that share limits. `pick` chooses among nodes, calls, or what is under way. */
export type Happening =
  | { readonly kind: 'take'; readonly pick: number; readonly place: number; readonly amount: number }
  | { readonly kind: 'end'; readonly pick: number; readonly unused: number }
  | { readonly kind: 'tell' | 'execute' | 'answer' | 'lose' | 'kill' | 'talk' | 'leave'; readonly pick: number }
  | { readonly kind: 'wait'; readonly ms: number };

/** Nodes that share limits, with a bag of words and answers that come late, twice, out of turn or never. */
export class ShareWorld {
  now = 1_000_000;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly #limits: ReadonlyMap<string, MirroredLimit>;
  readonly #places: readonly (readonly [string, string])[];
  readonly #tell: Tell;
  #words: Word[] = [];
  #answers: Answer[] = [];
  #running: Call[] = [];
  #past: Call[] = [];

  constructor(names: readonly string[], limits: ReadonlyMap<string, MirroredLimit>, groups: readonly string[], tell: Tell) {
    this.nodes = new Map(names.map((name, index) => [name, { epoch: 1, book: createShareBook(), offset: 77_777 * index }]));
    this.#limits = limits;
    this.#places = [...limits.keys()].flatMap((limit) => groups.map((group) => [limit, group] as const));
    this.#tell = tell;
  }

  async happen(happening: Happening): Promise<void> {
    if (happening.kind === 'wait') this.now += happening.ms;
    else if (happening.kind === 'take')
      this.take(picked([...this.nodes.keys()], happening.pick), picked(this.#places, happening.place), BigInt(happening.amount));
    else if (happening.kind === 'end') this.end(picked(this.#running, happening.pick), happening.unused);
    else if (happening.kind === 'tell') this.say(picked([...this.nodes.keys()], happening.pick));
    else if (happening.kind === 'talk') await this.talk(picked([...this.nodes.keys()], happening.pick));
    else if (happening.kind === 'execute') await this.execute(picked(this.#words, happening.pick));
    else if (happening.kind === 'answer') this.hear(picked(this.#answers, happening.pick));
    else if (happening.kind === 'lose') this.#words = this.#words.filter((word) => word !== picked(this.#words, happening.pick));
    else if (happening.kind === 'leave') await this.leave(picked([...this.nodes.keys()], happening.pick), happening.pick % 4 < 2);
    else this.kill(picked([...this.nodes.keys()], happening.pick));
    this.#check();
  }

  /** @returns whether it was let through. */
  take(name: string | undefined, place: readonly [string, string] | undefined, amount: bigint): boolean {
    const node = this.nodes.get(name ?? '');
    if (node === undefined || name === undefined || place === undefined) return false;
    const [limit, group] = place;
    const { amount: most, periodMs } = this.#limitOf(limit);
    const taken = node.book.take([{ limit, group, amount, most, periodMs }], this.now + node.offset);
    if ('kind' in taken) return false;
    const call = { node: name, limit, group, amount, at: this.now, taken, book: node.book, isGivenUp: false };
    this.#running.push(call);
    this.#past.push(call);
    return true;
  }

  end(call: Call | undefined, unused: number): void {
    if (call === undefined) return;
    this.#running = this.#running.filter((each) => each !== call);
    const node = this.nodes.get(call.node);
    const cost = call.amount - (BigInt(unused) * call.amount) / 4n;
    this.#past = this.#past.map((each) => (each === call ? { ...call, amount: cost } : each));
    for (const { place, mark, amount } of call.taken) place.use.settle(mark, amount, cost, this.now + (node?.offset ?? 0));
  }

  endAll(): void {
    for (const call of this.#running) this.end(call, 0);
  }

  say(name: string | undefined, leaving = false): void {
    const node = this.nodes.get(name ?? '');
    const message = node?.book.tell(this.now + node.offset, leaving) ?? null;
    if (node !== undefined && name !== undefined && message !== null) this.#words.push({ node: name, epoch: node.epoch, message });
  }

  /** It stays in the bag, so that it can be executed again. */
  async execute(word: Word | undefined): Promise<void> {
    if (word === undefined) return;
    const answer = await this.#tell(word.node, word.epoch, word.message, this.now);
    const node = this.nodes.get(word.node);
    if (node?.epoch === word.epoch) this.#answers.push({ book: node.book, node: word.node, message: word.message, answer });
  }

  hear(answer: Answer | undefined): void {
    if (answer === undefined) return;
    const node = this.nodes.get(answer.node);
    if (node?.book === answer.book) answer.book.answered(answer.message, answer.answer, this.now + node.offset);
  }

  /** Tells, is heard, and hears, all at once. */
  async talk(name: string | undefined): Promise<void> {
    this.say(name);
    await this.execute(this.#words.at(-1));
    this.hear(this.#answers.at(-1));
  }

  kill(name: string | undefined): void {
    const node = this.nodes.get(name ?? '');
    if (node === undefined) return;
    node.epoch += 1;
    node.book = createShareBook();
    // Its connections end with it, and so do its calls.
    this.#running = this.#running.filter((call) => call.node !== name);
  }

  /** Lets its calls end, says its last word, which it waits for or which is executed whenever it arrives, and is started again. */
  async leave(name: string | undefined, waits: boolean): Promise<void> {
    for (const call of this.#running) if (call.node === name) this.end(call, 0);
    this.say(name, true);
    if (waits) await this.execute(this.#words.at(-1));
    this.kill(name);
  }

  /** Each tells, is heard, and hears. */
  async round(ms = 1_000): Promise<void> {
    this.now += ms;
    for (const name of this.nodes.keys()) {
      // A recall is answered at once.
      for (let words = 0; words < 2; words += 1) await this.talk(name);
    }
    this.#words = [];
    this.#answers = [];
    this.#check();
  }

  givenUp(name: string): void {
    for (const call of this.#running) if (call.node === name) call.isGivenUp = true;
  }

  /** What counts of a limit now, by all nodes together. */
  used(limit: string, group: string): bigint {
    const { periodMs } = this.#limitOf(limit);
    const calls = periodMs === null ? this.#running : this.#past.filter(({ at }) => at > this.now - periodMs);
    return calls
      .filter((call) => call.limit === limit && call.group === group && !(periodMs === null && call.isGivenUp))
      .reduce((sum, { amount }) => sum + amount, 0n);
  }

  #check(): void {
    this.#past = this.#past.filter(({ at }) => at > this.now - 10_000);
    for (const [limit, group] of this.#places) {
      const [used, { amount }] = [this.used(limit, group), this.#limitOf(limit)];
      if (used > amount) throw new Error(`${used} of ${amount} are used of ${limit} by ${group}`);
    }
  }

  #limitOf(limit: string): MirroredLimit {
    const found = this.#limits.get(limit);
    if (found === undefined) throw new Error('there is no such limit');
    return found;
  }
}

function picked<Item>(items: readonly Item[], pick: number): Item | undefined {
  return items[pick % Math.max(items.length, 1)];
}
