import type { Fields } from '../../body/json-fields.ts';
import { textOf } from '../../body/json-fields.ts';

/** An object or a list that is not closed yet, by how it is entered: its own key or place in what holds it. */
interface Open {
  readonly key: string | number;
  readonly closing: '}' | ']';
  empty: boolean;
}

/**
 * Writes the arguments of a call as JSON, piece by piece, from what Gemini 3 streams of them on Vertex AI (`partialArgs`): values by their place
 * (`$.people[0].name`), texts in several pieces. They come in the order in which JSON is written, so that what was left is never entered again.
 */
export class PartialArguments {
  readonly #open: Open[] = [];
  /** The place of a text that goes on with the next piece. */
  #text: string | null = null;

  /** JSON that follows what was written before. @returns null for what is no piece of arguments. */
  write(piece: Fields): string | null {
    const place = textOf(piece.jsonPath);
    const path = place === null ? null : pathOf(place);
    const text = typeof piece.stringValue === 'string' ? piece.stringValue : null;
    const value = text === null ? scalarOf(piece) : null;
    if (place === null || path === null || (text === null && value === null)) return null;
    const quote = piece.willContinue === true ? '' : '"';
    if (text !== null && this.#text === place) {
      if (quote !== '') this.#text = null;
      return inText(text) + quote;
    }
    const entered = this.#endText() + this.#enter(path);
    if (text === null) return entered + value;
    if (quote === '') this.#text = place;
    return `${entered}"${inText(text)}${quote}`;
  }

  /** What closes the arguments; '' when there are none. */
  end(): string {
    return this.#endText() + this.#leave(0);
  }

  #endText(): string {
    const open = this.#text !== null;
    this.#text = null;
    return open ? '"' : '';
  }

  /** Closes what the place is not in, opens what it is in, and names it. */
  #enter(path: readonly (string | number)[]): string {
    let depth = 0;
    while (depth < this.#open.length && depth < path.length && this.#open[depth]?.key === (depth === 0 ? ROOT : path[depth - 1]))
      depth += 1;
    let json = this.#leave(depth);
    for (; depth < path.length; depth += 1) {
      const inList = typeof path[depth] === 'number';
      const key = depth === 0 ? ROOT : (path[depth - 1] ?? ROOT);
      json += (depth === 0 ? '' : this.#name(key)) + (inList ? '[' : '{');
      this.#open.push({ key, closing: inList ? ']' : '}', empty: true });
    }
    return json + this.#name(path.at(-1) ?? ROOT);
  }

  #leave(depth: number): string {
    let json = '';
    while (this.#open.length > depth) json += this.#open.pop()?.closing ?? '';
    return json;
  }

  /** What stands before a value in the innermost that is open. */
  #name(key: string | number): string {
    const inside = this.#open.at(-1);
    const comma = inside?.empty === false ? ',' : '';
    if (inside !== undefined) inside.empty = false;
    return typeof key === 'number' ? comma : `${comma}${JSON.stringify(key)}:`;
  }
}

const ROOT = '$';
const STEP = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/gy;

/** The keys and places of a JSONPath of single steps (RFC 9535); null when it is none, or the root itself. */
function pathOf(place: string): (string | number)[] | null {
  const path: (string | number)[] = [];
  let at = 1;
  STEP.lastIndex = at;
  for (let step = STEP.exec(place); step !== null; step = STEP.exec(place)) {
    const [, plain, index, single, double] = step;
    path.push(index === undefined ? (plain ?? (single ?? double ?? '').replaceAll(/\\(.)/g, '$1')) : Number(index));
    at = STEP.lastIndex;
  }
  return place.startsWith(ROOT) && at === place.length && path.length > 0 ? path : null;
}

/** JSON of what is no text. */
function scalarOf({ numberValue, boolValue, nullValue }: Fields): string | null {
  if (typeof numberValue === 'number') return String(numberValue);
  if (typeof boolValue === 'boolean') return String(boolValue);
  return nullValue === undefined ? null : 'null';
}

/** A text as it stands between the quotes of JSON. */
function inText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
