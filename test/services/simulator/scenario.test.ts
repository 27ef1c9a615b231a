import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { StartRefusal } from '../../../services/runtime/start-refusal.ts';
import { plainBehavior } from '../../../services/simulator/behavior.ts';
import { readScenario } from '../../../services/simulator/scenario/read-scenario.ts';
import { createScenario } from '../../../services/simulator/scenario/scenario.ts';
import { inheritedVariables } from '../../harness/inherited-variables.ts';
import { startSimulator } from '../../harness/simulator.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

async function scenarioFile(text: string): Promise<string> {
  const path = join(await temporaryFolder(), 'outage.yaml');
  await writeFile(path, text);
  return path;
}

const mistakesOf = async (text: string): Promise<readonly string[]> => {
  const path = await scenarioFile(text);
  const error = await readScenario(path).catch((thrown: unknown) => thrown);
  if (!(error instanceof StartRefusal)) throw new Error('was not refused');
  return error.message
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(path, 'outage.yaml'));
};

/** A clock that stands still until it is moved. */
function movableClock() {
  let nowMs = 1_000;
  return {
    clock: { now: () => 1_800_000_000_000 + nowMs, monotonic: () => nowMs },
    move: (ms: number) => {
      nowMs += ms;
    },
  };
}

/** Plays a scenario and tells which error each request gets. */
async function play(text: string) {
  const { clock, move } = movableClock();
  const scenario = createScenario(await readScenario(await scenarioFile(text)), clock);
  const ask = (model = 'echo', endpoint = '/v1/chat/completions', stream = false): string => {
    const behavior = scenario.behaviorFor({ model, endpoint, stream }, plainBehavior);
    return 'failure' in behavior ? `refused ${behavior.failure.status}` : (behavior.error ?? 'fine');
  };
  return { ask, move, scenario };
}

test('steps are played in order, each as often as it says, and then the models are by themselves again', async () => {
  const { ask, scenario } = await play(`
steps:
  - { name: limited, times: 2, options: { error: 429 } }
  - { times: 1, options: { error: 500 } }
`);
  expect([ask(), ask(), ask(), ask(), ask()]).toEqual(['429', '429', '500', 'fine', 'fine']);
  expect(scenario.view()).toMatchObject({
    atEnd: 'pass',
    over: true,
    steps: [
      { name: 'limited', seen: 5, taken: 2 },
      { name: 'step 2', seen: 5, taken: 1 },
    ],
  });
});

test('a request goes to the first step that fits it by model, endpoint and stream', async () => {
  const { ask } = await play(`
steps:
  - { model: [slow, echo], endpoint: /v1/embeddings, options: { error: 500 } }
  - { stream: true, options: { error: 502 } }
  - { model: echo, options: { error: 503 } }
`);
  expect(ask('echo', '/v1/embeddings')).toBe('500');
  expect(ask('slow', '/v1/chat/completions', true)).toBe('502');
  expect(ask('echo', '/v1/responses')).toBe('503');
  expect(ask('slow')).toBe('fine');
});

test('a step may be for certain requests by number, counted among those that fit it', async () => {
  const { ask } = await play(`
steps:
  - { model: echo, request: 2, options: { error: 500 } }
  - { model: echo, request: 4.., options: { error: 503 } }
`);
  expect([ask(), ask('slow'), ask(), ask(), ask(), ask()]).toEqual(['fine', 'fine', '500', 'fine', '503', '503']);
});

test('a step may be for a time since the start', async () => {
  const { ask, move } = await play('steps: [{ sinceStartMs: 1000..2000, options: { error: 503 } }]');
  expect(ask()).toBe('fine');
  move(1_000);
  expect([ask(), ask()]).toEqual(['503', '503']);
  move(1_001);
  expect(ask()).toBe('fine');
});

test.each([
  ['pass', ['500', '503', 'fine', 'fine', 'fine']],
  ['repeat', ['500', '503', '500', '503', '500']],
  ['stay', ['500', '503', '503', '503', '503']],
  ['refuse', ['500', '503', 'refused 500', 'refused 500', 'refused 500']],
])('at the end: %s', async (atEnd, expected) => {
  const { ask } = await play(`
steps:
  - { times: 1, options: { error: 500 } }
  - { times: 1, options: { error: 503 } }
atEnd: ${atEnd}
`);
  expect([ask(), ask(), ask(), ask(), ask()]).toEqual(expected);
});

test('a scenario that repeats begins its time anew with the request that finds it over', async () => {
  const { ask, move } = await play('{ steps: [{ sinceStartMs: 0..100, options: { error: 503 } }], atEnd: repeat }');
  expect(ask()).toBe('503');
  move(5_000);
  expect(ask()).toBe('503');
  move(50);
  expect(ask()).toBe('503');
});

test('it is played over HTTP between the model and the options of the request, is watched and begun anew', async () => {
  const scenario = await readScenario(await scenarioFile('steps: [{ times: 1, options: { tokens: 3, answer-as: scripted } }]'));
  await using provider = await startSimulator({ scenario });
  const ask = async (simulator: string) => {
    const body = JSON.stringify({ model: 'long', messages: [{ role: 'user', content: 'x' }] });
    const response = await fetch(`${provider.baseUrl}/chat/completions`, { method: 'POST', headers: { 'x-simulator': simulator }, body });
    const { model, usage } = JSON.parse(await response.text());
    return [model, usage.completion_tokens];
  };
  expect(await ask('tokens=5')).toEqual(['scripted', 5]);
  expect(await ask('')).toEqual(['long', 2000]);
  const watched = await (await fetch(`${provider.url}/scenario`)).json();
  expect(watched).toMatchObject({ over: true, steps: [{ name: 'step 1', seen: 2, taken: 1 }] });
  expect((await fetch(`${provider.url}/scenario`, { method: 'DELETE' })).status).toBe(204);
  expect(await ask('')).toEqual(['scripted', 3]);
});

test('without a scenario there is none to watch', async () => {
  await using provider = await startSimulator();
  expect((await fetch(`${provider.url}/scenario`)).status).toBe(404);
});

test.each([
  ['steps: [', [/^outage\.yaml:1: not valid YAML: /]],
  ['- steps', [/^outage\.yaml:1: the document: expected a map with steps, atEnd$/]],
  ['atEnd: pass', [/^outage\.yaml:1: steps: missing; expected a list of 1 to 1,000 steps$/]],
  ['steps: []', [/^outage\.yaml:1: steps: expected a list/]],
  [
    'steps:\n  - times: 1\n    speed: 9\n',
    [/^outage\.yaml:3: steps\.0\.speed: unknown field; expected name, model, endpoint, stream, request, /],
  ],
  [
    'steps:\n  - times: 0\n\natEnd: perhaps\n',
    [/:2: steps\.0\.times: expected a whole number from 1$/, /:4: atEnd: expected pass, repeat, stay or refuse$/],
  ],
  ['steps:\n  - request: 5-7\n', [/:2: steps\.0\.request: expected a whole number such as 3, or a range/]],
  ['steps:\n  - request: 7..5\n', [/:2: steps\.0\.request: expected a range whose end is not before its beginning$/]],
  ['steps:\n  - model: ecco\n', [/:2: steps\.0\.model: no model "ecco"; expected echo, slow/]],
  ['steps:\n  - endpoint: /v1/files\n', [/:2: steps\.0\.endpoint: expected one or more of \/v1\/chat/]],
  [
    'steps:\n  - options:\n      error: 418\n      speed: 1\n',
    [/:3: steps\.0\.options\.error: option "error": expected one of 400, /, /:4: steps\.0\.options\.speed: unknown option "speed"/],
  ],
])('the mistakes in %j are told with file and line', async (text, expected) => {
  const mistakes = await mistakesOf(text);
  expect(mistakes).toHaveLength(expected.length);
  for (const [index, pattern] of expected.entries()) expect(mistakes[index]).toMatch(pattern);
});

test('the example in README is a scenario', async () => {
  const readme = await readFile(new URL('../../../services/simulator/README.md', import.meta.url), 'utf8');
  const [, example = ''] = /```yaml\n(.*?)```/s.exec(readme) ?? [];
  expect((await readScenario(await scenarioFile(example))).steps.map(({ name }) => name)).toEqual(['warm', 'overloaded', 'slow mornings']);
});

test('the process takes the path from its environment, and does not start on a mistake', async () => {
  const path = await scenarioFile('steps:\n  - speed: 1\n');
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../../services/simulator/main.ts', import.meta.url))], {
    env: { ...inheritedVariables(), TURNPIKE_SIM_PORT: '0', TURNPIKE_SIM_SCENARIO: path },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = await once(child, 'close');
  expect(said).toContain(`${path}:2: steps.0.speed: unknown field`);
  expect(code).toBe(78);
  const missing = await readScenario('/nowhere/outage.yaml').catch((thrown: unknown) => thrown);
  expect(missing).toBeInstanceOf(StartRefusal);
  expect(String(missing)).toContain('TURNPIKE_SIM_SCENARIO: /nowhere/outage.yaml cannot be read');
});
