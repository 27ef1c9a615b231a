import { expect, test } from 'vitest';
import type { Dialect } from '../../../harness/translated-request.ts';
import { DIALECTS, translatedRequest } from '../../../harness/translated-request.ts';
import { FEATURES } from '../../../harness/translation-features.ts';
import { UNKNOWN, withUnknown } from '../../../harness/with-unknown.ts';

/** What passes as it is, whatever is in it. */
const WHOLE = new Set(['parameters', 'input_schema', 'schema', 'input', 'logit_bias']);

test.each<Dialect>(['chat', 'messages', 'responses'])(
  'a member that is invented tomorrow is told of, wherever it stands in %s',
  (dialect) => {
    const places = new Set<string>();
    for (const { name, [dialect]: asked } of FEATURES) {
      const told = asked === undefined ? null : translatedRequest(dialect, asked, 'gemini', 'gemini-3-pro-preview');
      if (asked === undefined || told === null) continue;
      for (const [place, changed] of withUnknown({ ...DIALECTS[dialect].hello, ...asked }, WHOLE)) {
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
