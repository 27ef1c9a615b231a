import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Dialect, Translated } from '../../../harness/translated-request.ts';
import { translatedRequest } from '../../../harness/translated-request.ts';
import type { Column, Feature } from '../../../harness/translation-features.ts';
import { COLUMNS, FEATURES, REFUSED, UNSAID } from '../../../harness/translation-features.ts';
import { translationTable } from '../../../harness/translation-table.ts';

/** Where an application speaks its provider's own dialect. */
const NATIVE: Readonly<Record<Dialect, readonly Column[]>> = {
  chat: ['openai', 'mistral'],
  messages: ['anthropic', 'bedrock'],
  responses: [],
};
const columns = Object.keys(COLUMNS) as Column[];

function translated(dialect: Dialect, fields: object, column: Column): Translated | null {
  const { protocol, model } = COLUMNS[column];
  return translatedRequest(dialect, fields, protocol, model);
}

type Cell = readonly [feature: string, column: Column, asked: object, becomes: Feature['becomes'][Column]];
function cellsOf(dialect: Dialect): Cell[] {
  return FEATURES.flatMap(({ name, becomes, [dialect]: asked }) =>
    asked === undefined ? [] : columns.filter((to) => !NATIVE[dialect].includes(to)).map((to): Cell => [name, to, asked, becomes[to]]),
  );
}

describe.each<Dialect>(['chat', 'messages', 'responses'])('what an application says in the dialect %s', (dialect) => {
  test.each(cellsOf(dialect))('%s, is carried to %s, told of or refused', (_feature, to, asked, becomes) => {
    const outcome = translated(dialect, asked, to);
    if (becomes === REFUSED || outcome === null) {
      expect([outcome, becomes]).toEqual([null, REFUSED]);
      return;
    }
    const { body, notCarried } = outcome;
    if (becomes === UNSAID) {
      expect(notCarried).toEqual([]);
      return;
    }
    // Whatever the table says: nothing disappears in silence.
    const silence = translated(dialect, {}, to)?.body;
    expect(body !== silence || notCarried.length > 0).toBe(true);
    const as = typeof becomes === 'string' ? becomes : 'as' in becomes ? becomes.as : null;
    for (const fragment of as === null ? [] : as.split(' … ')) expect(body).toContain(fragment);
    if (typeof becomes === 'string') expect(notCarried).toEqual([]);
    else expect(notCarried.filter((field) => field.includes(becomes.told))).not.toEqual([]);
  });
});

test('the page about translation has the table that is tested here', () => {
  const page = readFileSync(new URL('../../../../docs/translation.md', import.meta.url), 'utf8');
  expect(page).toContain(translationTable());
});
