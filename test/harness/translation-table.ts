import type { Dialect } from './translated-request.ts';
import { DIALECTS } from './translated-request.ts';
import type { Becomes, Column } from './translation-features.ts';
import { COLUMNS, FEATURES, REFUSED, UNSAID } from './translation-features.ts';

const dialects = Object.keys(DIALECTS) as Dialect[];
const columns = Object.keys(COLUMNS) as Column[];

function cell(becomes: Becomes): string {
  if (becomes === REFUSED) return 'refused';
  if (becomes === UNSAID || typeof becomes === 'string') return '✓';
  return 'as' in becomes ? 'nearly' : 'told';
}

/** The table of `docs/translation.md`. */
export function translationTable(): string {
  const head = ['said by an application', 'in', ...columns.map((column) => COLUMNS[column].title)];
  const rows = FEATURES.map((feature) => [
    feature.name,
    dialects
      .filter((dialect) => feature[dialect] !== undefined)
      .map((dialect) => DIALECTS[dialect].title[0])
      .join(' '),
    ...columns.map((column) => cell(feature.becomes[column])),
  ]);
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}
