import { expect, test } from 'vitest';
import type { Dialect } from '../../../harness/translated-request.ts';
import { DIALECTS, translatedRequest } from '../../../harness/translated-request.ts';
import { FEATURES } from '../../../harness/translation-features.ts';

const UNKNOWN = 'from_tomorrow';
/** What passes as it is, whatever is in it. */
const WHOLE = new Set(['parameters', 'input_schema', 'schema', 'input', 'logit_bias']);

/** The same request as often as it has objects, each time with a member in one of them that nobody knows. */
function* withUnknown(value: unknown, name = '', place = name): Generator<readonly [place: string, changed: unknown]> {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) {
      for (const [at, changed] of withUnknown(each, '', `${place}[]`)) yield [at, value.with(index, changed)];
    }
    return;
  }
  if (WHOLE.has(name)) return;
  yield [place, { ...value, [UNKNOWN]: 1 }];
  for (const [key, each] of Object.entries(value)) {
    for (const [at, changed] of withUnknown(each, key, place === '' ? key : `${place}.${key}`)) yield [at, { ...value, [key]: changed }];
  }
}

test.each<Dialect>(['chat', 'messages', 'responses'])(
  'a member that is invented tomorrow is told of, wherever it stands in %s',
  (dialect) => {
    const places = new Set<string>();
    for (const { name, [dialect]: asked } of FEATURES) {
      const told = asked === undefined ? null : translatedRequest(dialect, asked, 'gemini', 'gemini-3-pro-preview');
      if (asked === undefined || told === null) continue;
      for (const [place, changed] of withUnknown({ ...DIALECTS[dialect].hello, ...asked })) {
        const later = translatedRequest(dialect, changed as object, 'gemini', 'gemini-3-pro-preview');
        const field = place === '' ? UNKNOWN : `${place}.${UNKNOWN}`;
        // What is not carried as a whole is told by its own name, or by its kind.
        const isWhole = told.notCarried.some((whole) => whole === place || whole.startsWith(`${place}.web_search`));
        if (!isWhole) expect([name, later?.notCarried]).toEqual([name, expect.arrayContaining([field])]);
        places.add(place);
      }
    }
    expect(places.size).toBeGreaterThan(10);
  },
);
