import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { buildCatalogue } from './build-catalogue.ts';
import { printCatalogue } from './catalogue.ts';
import { printCatalogueReport } from './catalogue-report.ts';
import { parseLosslessJson } from './lossless-json.ts';
import { readCatalogue } from './price-book.ts';

/**
 * `npm run gen:prices -- <table.json> <day>`: imports LiteLLM's `model_prices_and_context_window.json` as it was on that day
 * (YYYY-MM-DD) into `catalogue.json`, behind the prices that are there already, and writes `catalogue-report.md`.
 */
const [file, stateOn = ''] = process.argv.slice(2);
if (file === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(stateOn)) {
  process.stderr.write('usage: npm run gen:prices -- <table.json> <YYYY-MM-DD: the day of the table>\n');
  process.exit(2);
}
const text = readFileSync(file, 'utf8');
const source = {
  name: "LiteLLM's model_prices_and_context_window.json (MIT)",
  stateOn,
  sha256: createHash('sha256').update(text, 'utf8').digest('hex'),
};
const outcome = buildCatalogue(parseLosslessJson(text), source, readCatalogue());
writeFileSync(new URL('catalogue.json', import.meta.url), printCatalogue(outcome.catalogue));
writeFileSync(new URL('catalogue-report.md', import.meta.url), printCatalogueReport(outcome));
process.stdout.write(
  `${outcome.entries} entries: ${outcome.taken.length} taken, ${outcome.sameAs.length} second keys, ${outcome.refused.length} refused; see services/pricing/catalogue-report.md\n`,
);
