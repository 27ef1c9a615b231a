import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OptionError, optionNames, plainBehavior, refineBehavior } from '../../../services/simulator/behavior.ts';
import { errorKinds } from '../../../services/simulator/failures.ts';
import { modelNames } from '../../../services/simulator/models.ts';
import { ScenarioDocument, scenarioEndpoints } from '../../../services/simulator/scenario/scenario-document.ts';
import { usageShapes } from '../../../services/simulator/usage-shape.ts';
import { startSimulator } from '../../harness/simulator.ts';

test('the later of two options wins, and blanks do not count', () => {
  expect(refineBehavior(plainBehavior, ' ttft-ms = 5..9 ;; tokens=3;tokens=4 ')).toEqual({
    ...plainBehavior,
    firstToken: { fromMs: 5, toMs: 9 },
    tokens: 4,
  });
});

test('a usage shape brings its framing along, which later options may undo', () => {
  expect(refineBehavior(plainBehavior, 'usage-shape=perplexity')).toMatchObject({ usageShape: 'perplexity', newline: '\r\n' });
  expect(refineBehavior(plainBehavior, 'usage-shape=openrouter; comments=off')).toMatchObject({
    usageShape: 'openrouter',
    comments: false,
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
  'usage-shape=cohere',
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

const readme = readFileSync(new URL('../../../services/simulator/README.md', import.meta.url), 'utf8');

test('README names every model, option, usage shape and kind of error', () => {
  const models = modelNames.filter((model) => !model.startsWith('error-'));
  for (const name of [...models, ...optionNames, ...errorKinds, ...usageShapes]) expect(readme).toContain(`\`${name}\``);
});

test('README names every endpoint, and every field of a scenario', () => {
  for (const path of scenarioEndpoints) expect(readme).toContain(`POST ${path}`);
  const fields = [...Object.keys(ScenarioDocument.properties), ...Object.keys(ScenarioDocument.properties.steps.items.properties)];
  expect(fields.length).toBeGreaterThan(8);
  for (const field of fields) expect(readme).toContain(`\`${field}\``);
});
