import { expect, test } from 'vitest';
import { PYTHON, pythonLacks } from './python-runtime.ts';

test('a package that is not there is named, with the version that is wanted', (context) => {
  context.skip(pythonLacks([]) !== null, `${PYTHON} does not run`);
  expect(pythonLacks(['turnpike-none', 'turnpike-none-either>=3'])).toContain('has no turnpike-none turnpike-none-either>=3: ');
});
