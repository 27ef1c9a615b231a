import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pythonText, shellText, typescriptText } from '../../../../services/cli/snippet/text-literal.ts';

const hostile = ['', 'sim/echo', "it's", '"quoted"', '$HOME `id` $(id)', '\\n\n\t', "\\'", '; rm -rf x', 'a!b', '-n', 'é→😀', '%s', '*'];

test('a shell takes whatever a text is as one word', () => {
  const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${hostile.map(shellText).join(' ')}`], { encoding: 'utf8' });
  expect(printed.split('\0').slice(0, -1)).toEqual(hostile);
});

test('TypeScript reads a text as it was', () => {
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...hostile), fc.string()), (text) => {
      expect(Function(`return ${typescriptText(text)}`)()).toBe(text);
    }),
  );
});

test('Python reads a text by escapes that it has', () => {
  expect(pythonText('a "b" \\ \n\u0001')).toBe(String.raw`"a \"b\" \\ \n\u0001"`);
});
