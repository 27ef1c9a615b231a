import { describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../../../schema/http/endpoints.ts';
import { answerSnippet } from '../../../../services/cli/snippet/answer-snippet.ts';
import { LANGUAGES } from '../../../../services/cli/snippet/snippet.ts';
import { SNIPPETS } from '../../../../services/cli/snippet/snippets.ts';
import { modelNames } from '../../../../services/simulator/models.ts';

const url = 'http://127.0.0.1:4000/v1';
const curl = { language: 'curl' } as const;

test('no endpoint is without a snippet, and no two have one name', () => {
  expect(new Set(SNIPPETS.map(({ endpoint }) => endpoint))).toEqual(new Set(ENDPOINTS));
  expect(new Set(SNIPPETS.map(({ name }) => name)).size).toBe(SNIPPETS.length);
});

describe.each(SNIPPETS)('$name', ({ name, model, code }) => {
  test.each(LANGUAGES)('in %s ends with its line, asks where it is told, and reads its key from the environment', (language) => {
    const written = code[language]({ origin: 'https://llm.acme.example', model: 'acme/large' });
    expect(written).toMatch(/\S\n$/);
    expect(written).toContain('https://llm.acme.example');
    expect(written).toContain('TURNPIKE_KEY');
    expect(written.includes('acme/large')).toBe(model !== null);
    expect(answerSnippet(name, { language }, url)).toBe(code[language]({ origin: 'http://127.0.0.1:4000', model: model ?? '' }));
  });

  test('asks for nothing of the simulated provider that this does not have', () => {
    if (model?.startsWith('sim/')) expect(modelNames).toContain(model.slice('sim/'.length));
  });
});

test('the list names each, by its endpoint too', () => {
  const lines = answerSnippet(undefined, curl, url).split('\n');
  expect(lines[0]).toMatch(/^NAME +ENDPOINT +MODEL +WHAT IT ASKS FOR$/);
  expect(lines.slice(1, -1).map((line) => line.split(/ +/).slice(0, 2))).toEqual(SNIPPETS.map(({ name, endpoint }) => [name, endpoint]));
  expect(JSON.parse(answerSnippet(undefined, { ...curl, json: true }, url))).toMatchObject(SNIPPETS.map(({ name }) => ({ name })));
});

test('an endpoint can be named by its path, and a model and a place be chosen', () => {
  const code = answerSnippet('/v1/embeddings', { ...curl, model: "it's" }, 'https://acme.example/llm/');
  expect(code).toContain('curl https://acme.example/llm/v1/embeddings \\\n');
  expect(code).toContain(`{"model": "it'\\''s", `);
  expect(JSON.parse(answerSnippet('/v1/embeddings', { ...curl, json: true }, url))).toEqual({
    name: 'embeddings',
    endpoint: '/v1/embeddings',
    model: 'sim/echo',
    language: 'curl',
    code: answerSnippet('embeddings', curl, url),
  });
});

test.each<[what: string, endpoint: string, model: string | undefined, url: string, said: string]>([
  ['what is none', 'embedding', undefined, url, 'There is no "embedding". These are: chat-completions, '],
  ['a model of what takes none', 'models', 'sim/echo', url, '--model: models takes no model'],
  ['an empty model', 'embeddings', '', url, '--model: expected a name'],
  ['an address that is none', 'embeddings', undefined, '127.0.0.1:4000', '--url: expected http://host:port'],
  ['an address with a password', 'embeddings', undefined, 'http://me:secret@acme.example', '--url: expected http://host:port'],
])('%s is refused in words', (_what, endpoint, model, where, said) => {
  const answer = () => answerSnippet(endpoint, model === undefined ? curl : { ...curl, model }, where);
  expect(answer).toThrow(said);
  expect(answer).not.toThrow('secret');
});
