import type { Citation } from '../../conversation/answer-event.ts';
import type { NotCarried } from '../../conversation/dialect.ts';

/** Sources of a choice at most. */
const MAX_CITATIONS = 1_024;
/** Characters of an answer kept to count the bytes before a passage; beyond them no place is told. */
const MAX_KEPT = 4 * 1024 * 1024;

/** What the text of one choice rests on, in Google's words: sources, and which passages each supports. Google counts bytes. */
export class Grounding {
  readonly #notCarried: NotCarried;
  #text = '';
  #isKept = true;
  readonly #citations: Citation[] = [];

  /** @param notCarried told where there are more than are kept. */
  constructor(notCarried: NotCarried) {
    this.#notCarried = notCarried;
  }

  /** A piece of the text. */
  said(text: string): void {
    this.#isKept &&= this.#text.length + text.length <= MAX_KEPT;
    if (this.#isKept) this.#text += text;
  }

  cite(citation: Citation): void {
    if (this.#citations.length < MAX_CITATIONS) this.#citations.push(citation);
    else this.#notCarried('citations');
  }

  /** `groundingMetadata`, or null where nothing was cited. */
  metadata(): object | null {
    if (this.#citations.length === 0) return null;
    return {
      groundingChunks: this.#citations.map(chunkOf),
      groundingSupports: this.#citations.map(({ start, end }, index) => ({
        segment: this.#segment(start, end),
        groundingChunkIndices: [index],
      })),
    };
  }

  #segment(start: number | null, end: number | null): object {
    if (start === null || end === null || end > this.#text.length) return {};
    const text = this.#text.slice(start, end);
    const startIndex = Buffer.byteLength(this.#text.slice(0, start), 'utf8');
    return { startIndex, endIndex: startIndex + Buffer.byteLength(text, 'utf8'), text };
  }
}

/** A page where it has an address, else a passage of something that was given. */
function chunkOf({ title, url, quoted }: Citation): object {
  const named = title === null ? {} : { title };
  const quote = quoted === null ? {} : { text: quoted };
  return url === null ? { retrievedContext: { ...named, ...quote } } : { web: { uri: url, ...named, ...quote } };
}
