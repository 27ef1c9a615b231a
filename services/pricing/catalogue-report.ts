import type { ImportOutcome } from './build-catalogue.ts';
import { CATALOGUE_MODES } from './catalogue.ts';
import { OMISSIONS, REFUSALS } from './import-reasons.ts';

/** What an import took, refused and left out, for people to read: `catalogue-report.md`. */
export function printCatalogueReport(outcome: ImportOutcome): string {
  const { catalogue, entries, taken, sameAs, refused, omitted } = outcome;
  const reasons = Object.entries(REFUSALS).map(([reason, text]) => ({
    reason,
    text,
    entries: refused.filter(({ refusal }) => refusal === reason),
  }));
  const omissions = Object.entries(OMISSIONS).map(([reason, text]) => ({
    reason,
    text,
    prices: omitted.filter(({ omission }) => omission === reason),
  }));
  const retired = catalogue.models.filter(({ deprecatedOn }) => deprecatedOn !== undefined).length;
  return [
    '# Price catalogue: what was taken, and what was not',
    '',
    `Written by \`npm run gen:prices\`; not edited by hand. Source: ${catalogue.source.name}, state ${catalogue.source.stateOn}, SHA-256 \`${catalogue.source.sha256}\`.`,
    '',
    'A model that is not in the catalogue, or whose price is not known for what was used, is booked as `unrated`, never as 0. State its price in configuration.',
    '',
    '| entries of the table | count |',
    '| --- | --: |',
    `| taken | ${taken.length} |`,
    `| the same model at the same prices under a second key | ${sameAs.length} |`,
    ...reasons.filter((row) => row.entries.length > 0).map((row) => `| refused: \`${row.reason}\` | ${row.entries.length} |`),
    `| **all** | **${entries}** |`,
    '',
    `Of the models taken, ${retired} carry the provider's announced last day; they stay priced.`,
    '',
    '| mode | models |',
    '| --- | --: |',
    ...CATALOGUE_MODES.map((mode) => `| ${mode} | ${catalogue.models.filter((model) => model.mode === mode).length} |`),
    '',
    '## Not read at all',
    '',
    '- Multipliers for regions and speeds (`regional_processing_uplift_multiplier_*`, `provider_specific_entry`): the usage does not show which applied. Ten percent may be missing for regional endpoints of models that have them.',
    '- Databricks units (`*_dbu_*`), which are not USD.',
    '- `search_context_cost_per_query` is read as one fee per search where all three sizes cost the same. The count is the provider’s own billing unit: Gemini before version 3 bills a grounded request once, later ones each query.',
    '',
    '## Refused entries',
    ...reasons
      .filter((row) => row.entries.length > 0)
      .flatMap((row) => ['', `### \`${row.reason}\` (${row.entries.length})`, '', sentence(row.text), '', ...byDetail(row.entries)]),
    '',
    '## Prices not taken from entries that were',
    ...omissions
      .filter((row) => row.prices.length > 0)
      .flatMap((row) => [
        '',
        `### \`${row.reason}\` (${row.prices.length})`,
        '',
        sentence(row.text),
        '',
        ...byDetail(row.prices.map(({ key, what }) => ({ key, detail: what }))),
      ]),
    '',
  ].join('\n');
}

function byDetail(rows: readonly { readonly key: string; readonly detail: string }[]): string[] {
  return [...Map.groupBy(rows, ({ detail }) => detail)].map(
    ([detail, group]) => `- ${detail === '' ? '' : `${detail} (${group.length}): `}${group.map(({ key }) => `\`${key}\``).join(', ')}`,
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
