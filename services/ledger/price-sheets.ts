import type { PriceSheet } from '../pricing/price-sheet.ts';
import { parsePriceSheet, priceVersion } from '../pricing/price-sheet.ts';
import type { Log } from '../runtime/log.ts';
import type { LedgerStore } from './store/ledger-store.ts';

export type PriceSheets = {
  /** Fetches those of these versions that are not held yet, in one statement, so that `get` knows them. */
  readonly load: (versions: Iterable<string>) => Promise<void>;
  /** The sheet, or null where the registry has none by that name or what it has is not what the name says. */
  readonly get: (version: string) => PriceSheet | null;
};

/** Sheets held; some 3 KB each. At the bound all are dropped and read anew as they are needed. */
const maxSheets = 10_000;

/**
 * Price sheets by version. They are immutable and named by the hash of their content, so one that was read is good for ever;
 * one that is missing is asked for again with the next batch that names it.
 */
export function createPriceSheets(store: LedgerStore, log: Log): PriceSheets {
  const sheets = new Map<string, PriceSheet>();
  return {
    get: (version) => sheets.get(version) ?? null,
    load: async (versions) => {
      const wanted = [...new Set(versions)];
      if (wanted.every((version) => sheets.has(version))) return;
      if (sheets.size + wanted.length > maxSheets) sheets.clear();
      const missing = wanted.filter((version) => !sheets.has(version));
      for (const { version, sheet } of await store.readPriceSheets(missing)) {
        const verified = verifiedSheet(version, sheet);
        if (verified === null)
          log.error({ priceVersion: version }, 'a price version does not hold what its name says; its requests stay unrated');
        else sheets.set(version, verified);
      }
    },
  };
}

function verifiedSheet(name: string, value: unknown): PriceSheet | null {
  try {
    const sheet = parsePriceSheet(value);
    return priceVersion(sheet) === name ? sheet : null;
  } catch {
    return null;
  }
}
