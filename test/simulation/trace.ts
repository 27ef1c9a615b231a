import { createHash } from 'node:crypto';

/** What a run did, line by line, as a digest: two runs that did the same have the same one, to the byte. */
export interface Trace {
  add(line: string): void;
  /** SHA-256 in hex of all lines so far. */
  digest(): string;
  /** The newest lines, for whoever looks into a failure. */
  readonly newest: readonly string[];
  readonly lines: number;
}

const FLUSH_CHARACTERS = 64 * 1024;

/**
 * @param options.keep how many of the newest lines are kept.
 * @param options.print told of each line, for `--trace`.
 */
export function createTrace(options: { readonly keep: number; readonly print?: (line: string) => void }): Trace {
  const hash = createHash('sha256');
  let pending = '';
  let newest: string[] = [];
  let lines = 0;
  return {
    add(line) {
      lines += 1;
      pending += `${line}\n`;
      if (pending.length > FLUSH_CHARACTERS) {
        hash.update(pending);
        pending = '';
      }
      newest.push(line);
      if (newest.length > 2 * options.keep) newest = newest.slice(-options.keep);
      options.print?.(line);
    },
    digest() {
      hash.update(pending);
      pending = '';
      return hash.copy().digest('hex');
    },
    get newest() {
      return newest.slice(-options.keep);
    },
    get lines() {
      return lines;
    },
  };
}
