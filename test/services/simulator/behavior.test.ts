import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OptionError, optionNames, plainBehavior, refineBehavior } from '../../../services/simulator/behavior.ts';
import { errorKinds } from '../../../services/simulator/failures.ts';
import { modelNames } from '../../../services/simulator/models.ts';
import { startSimulator } from '../../harness/simulator.ts';

test('the later of two options wins, and blanks do not count', () => {
  expect(refineBehavior(plainBehavior, ' ttft-ms = 5..9 ;; tokens=3;tokens=4 ')).toEqual({
    ...plainBehavior,
    firstToken: { fromMs: 5, toMs: 9 },
    tokens: 4,
  });
});

test.each([
  'nonsense=1',
  'constructor=1',
  'tokens',
  'tokens=1.5',
  'tokens=-1',
  'tokens=16385',
  'ttft-ms=9..5',
  'ttft-ms=1e9',
  'gzip=yes',
  'error=418',
  'fail-kinds=500,x',
  'fail-share=1.1',
  'split=0',
  'rate=0',
])('the option "%s" is refused by name', (text) => {
  expect(() => refineBehavior(plainBehavior, text)).toThrow(OptionError);
  expect(() => refineBehavior(plainBehavior, text)).toThrow(text.split('=')[0]!);
});

test('the header x-simulator beats the body, which beats the model', async () => {
  await using provider = await startSimulator();
  const lengthOf = async (simulator: string | null, header: string) => {
    const body = { model: 'long', messages: [{ role: 'user', content: 'x' }], ...(simulator === null ? {} : { metadata: { simulator } }) };
    const response = await fetch(`${provider.baseUrl}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'x-simulator': header },
    });
    return JSON.parse(await response.text()).usage.completion_tokens;
  };
  expect([await lengthOf(null, ''), await lengthOf('tokens=5', ''), await lengthOf('tokens=5', 'tokens=6')]).toEqual([2000, 5, 6]);
});

test('README names every model, option and kind of error', () => {
  const readme = readFileSync(new URL('../../../services/simulator/README.md', import.meta.url), 'utf8');
  const models = modelNames.filter((model) => !model.startsWith('error-'));
  for (const name of [...models, ...optionNames, ...errorKinds]) expect(readme).toContain(`\`${name}\``);
});
