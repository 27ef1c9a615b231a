import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readDocuments } from '../../../../services/registry/configuration/read-documents.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnpike config '));
});
afterEach(() => rm(folder, { recursive: true }));

const provider = `apiVersion: turnpike/v1
kind: Provider
metadata: { name: acme }
spec:
  protocol: openai
  baseUrl: https://acme.example/v1
  credential: { env: ACME_KEY }
`;

const write = async (name: string, text: string) => {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
};

test('a folder is read file by file in name order, documents in theirs', async () => {
  await write('20.yml', provider.replace('acme }', 'beta }'));
  await write(
    '10.yaml',
    `${provider}---\napiVersion: turnpike/v1\nkind: Model\nmetadata: { name: acme/large }\nspec: { price: { perMillionTokens: { input: "0.15", output: "0.6" } } }\n`,
  );
  await write('notes.txt', 'not read');
  const documents = await readDocuments(folder);
  expect(documents.map(({ document }) => `${document.kind} ${document.metadata.name}`)).toEqual([
    'Provider acme',
    'Model acme/large',
    'Provider beta',
  ]);
  expect(documents[0]?.location).toBe(`${join(folder, '10.yaml')}:1`);
});

test('an empty file is an empty configuration', async () => {
  expect(await readDocuments(await write('empty.yaml', '# nothing yet\n'))).toEqual([]);
});

test.each([
  ['a wrong type', provider.replace('https://acme.example/v1', '42'), /a\.yaml:6: spec\.baseUrl: expected an http\(s\) URL/],
  [
    'an unknown field',
    provider.replace('protocol:', 'speed: 9\n  protocol:'),
    /a\.yaml:5: spec\.speed: unknown field; expected protocol, baseUrl, apiVersion, credential/,
  ],
  [
    'a missing field',
    provider.replace('  protocol: openai\n', ''),
    /a\.yaml:4: spec\.protocol: missing; expected openai, .*azure-openai, .*xai/,
  ],
  [
    'a field that another one makes necessary',
    provider.replace(/\n {2}baseUrl: .*/, ''),
    /a\.yaml:4: spec\.baseUrl: missing; expected an http\(s\) URL/,
  ],
  ['an unknown kind', provider.replace('Provider', 'Provder'), /a\.yaml:2: kind: expected one of Provider, Model, Key/],
  ['a wrong version', provider.replace('turnpike/v1', 'turnpike/v9'), /a\.yaml:1: apiVersion: expected turnpike\/v1/],
  ['broken YAML', 'kind: [\n', /a\.yaml:\d+: not valid YAML/],
  ['a repeated name', `${provider}---\n${provider}`, /a\.yaml:9: metadata\.name: Provider acme stands already at .*a\.yaml:1/],
  ['a list where a map belongs', '- a\n- b\n', /a\.yaml:1: kind: expected one of/],
  [
    'a number where money belongs',
    'apiVersion: turnpike/v1\nkind: Model\nmetadata: { name: a/b }\nspec:\n  price:\n    perMillionTokens: { input: 0.15, output: "1" }\n',
    /a\.yaml:5: spec\.price: expected \{catalogue/,
  ],
])('%s is refused with file, line, field and what was expected', async (_what, text, message) => {
  await expect(readDocuments(await write('a.yaml', text))).rejects.toThrow(message);
});

test('all mistakes are listed at once, and a secret in the wrong place is never shown', async () => {
  const path = await write('a.yaml', provider.replace('{ env: ACME_KEY }', 'sk-very-secret').replace('protocol: openai', 'protocol: soap'));
  const error = await readDocuments(path).then(
    () => null,
    (caught: unknown) => caught,
  );
  expect(String(error)).toMatch(/2 mistake\(s\)/);
  expect(String(error)).toMatch(/spec\.protocol: expected openai/);
  expect(String(error)).toMatch(/spec\.credential: expected where the secret is/);
  expect(String(error)).not.toContain('very-secret');
});

test('a path that does not exist is refused by name', async () => {
  await expect(readDocuments(join(folder, 'nowhere.yaml'))).rejects.toThrow(/TURNPIKE_CONFIG: .*nowhere\.yaml cannot be read/);
});
