import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** One place in one file, changed while it is loaded. */
export interface SourcePatch {
  /** From the project's folder. */
  readonly file: string;
  /** Must stand there exactly once. */
  readonly from: string;
  readonly to: string;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * From now on this process loads the file as the patch has it. To be called before anything imports the file.
 * @throws {Error} while the file is loaded, when the place is not there once: the product has moved on, and the mutation must follow.
 */
export function applySourcePatch({ file, from, to }: SourcePatch): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.startsWith('file:') || fileURLToPath(url) !== `${root}${file}`) return loaded;
      const source = String(loaded.source);
      const times = source.split(from).length - 1;
      if (times !== 1) throw new Error(`${file} has ${times} places like this, where a mutation expects one:\n${from}`);
      return { ...loaded, source: source.replace(from, () => to) };
    },
  });
}
