import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROVIDER_ENDPOINTS } from '../../../schema/http/endpoints.ts';
import type { Language } from '../../../services/cli/snippet/snippet.ts';
import { SNIPPETS } from '../../../services/cli/snippet/snippets.ts';
import { eventually } from '../../harness/eventually.ts';
import { PYTHON, pythonLacks } from '../python/python-runtime.ts';
import type { Said } from './paste.ts';
import { PASTE_TIMEOUT_MS, pasteIntoShell, runWithNode, runWithPython } from './paste.ts';
import { CHANGED, SOUND, startSnippetWorld } from './snippet-world.ts';

type World = Awaited<ReturnType<typeof startSnippetWorld>>;

let world: World;
let folder: string;
beforeAll(async () => {
  world = await startSnippetWorld();
  folder = await mkdtemp(join(tmpdir(), 'tp-snippets-'));
  await symlink(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(folder, 'node_modules'));
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** How a picture begins, as many bytes as are whole in base64. */
const PNG = '\x89PNG\r\n';

/** What has to stand in what is said: in the whole answer by curl, in what the code prints by the clients. */
const expected: Readonly<Record<string, { readonly curl: string | RegExp; readonly printed: string | RegExp }>> = {
  'chat-completions': { curl: '"finish_reason":"stop"', printed: 'Hello, turnpike!\n' },
  'chat-completions-stream': { curl: 'data: [DONE]', printed: 'Hello, turnpike!\n' },
  responses: { curl: '"status":"completed"', printed: 'Hello, turnpike!\n' },
  'responses-stream': { curl: 'event: response.completed', printed: 'Hello, turnpike!\n' },
  completions: { curl: '"text":"Hello, turnpike!"', printed: 'Hello, turnpike!\n' },
  embeddings: { curl: '"index":1', printed: /^0 \[.*\n?.*\]\n1 \[/s },
  rerank: { curl: '"relevance_score":0.99', printed: '1 0.99\n0 0.01\n' },
  messages: { curl: '"stop_reason":"end_turn"', printed: 'Hello, turnpike!\n' },
  'messages-stream': { curl: 'event: message_stop', printed: 'Hello, turnpike!\n' },
  'count-tokens': { curl: /"input_tokens":\d+/, printed: /^\d+\n$/ },
  'generate-content': { curl: '"finishReason":"STOP"', printed: 'Hello, turnpike!\n' },
  'generate-content-stream': { curl: /^data: /, printed: 'Hello, turnpike!\n' },
  'count-content-tokens': { curl: '"totalTokens":11', printed: '11\n' },
  'embed-content': { curl: '"embeddings":[{"values":[', printed: /^\[-?\d/ },
  moderations: { curl: '"flagged":false', printed: /^[Ff]alse\n$/ },
  'image-generations': { curl: '', printed: '' },
  'image-edits': { curl: '', printed: '' },
  speech: { curl: '', printed: '' },
  transcriptions: { curl: '"text":"Hello, turnpike!"', printed: 'Hello, turnpike!\n' },
  translations: { curl: '"text":"Hello, turnpike!"', printed: 'Hello, turnpike!\n' },
  files: { curl: '"purpose":"batch"', printed: /^file-\w+\n$/ },
  batches: { curl: '"object":"batch"', printed: /^batch_\w+\n$/ },
  models: { curl: '"id":"sim/echo"', printed: /^sim\/echo$/m },
  'pass-through': { curl: '"id":"vs_1"', printed: 'vs_1 mine\n' },
};

test('it is known of each what it says', () => {
  expect(Object.keys(expected).sort()).toEqual(SNIPPETS.map(({ name }) => name).sort());
});

async function expectAllWork(language: Language, run: (pasted: { name: string; code: string }[]) => Promise<Said>): Promise<void> {
  for (const written of ['picture.json', 'changed.json', 'changed.png']) await rm(join(folder, written), { force: true });
  for (const read of ['picture.png', 'speech.mp3']) await writeFile(join(folder, read), 'of before');
  const before = world.proxy.events.length;
  const pasted = SNIPPETS.map(({ name, model, code }) => ({ name, code: code[language]({ origin: world.proxy.url, model: model ?? '' }) }));
  for (const { code } of pasted) expect(code).not.toContain(world.proxy.key);
  const said = await run(pasted);
  for (const { name } of SNIPPETS) {
    const text = said.get(name) ?? '';
    const wanted = expected[name]?.[language === 'curl' ? 'curl' : 'printed'] ?? '';
    if (typeof wanted === 'string' && language !== 'curl') expect(text, name).toBe(wanted);
    else expect(text, name).toMatch(wanted);
  }
  expect(await readFile(join(folder, 'speech.mp3'), 'utf8')).toBe(SOUND);
  const pictures = ['picture', 'changed'].map((name) =>
    readFile(join(folder, `${name}.${language === 'curl' ? 'json' : 'png'}`), 'latin1'),
  );
  const [drawn, changed] = await Promise.all(pictures);
  expect(drawn).toContain(language === 'curl' ? btoa(PNG) : PNG);
  if (language === 'curl') expect(changed).toContain(btoa(CHANGED));
  else expect(changed).toBe(CHANGED);
  // Nothing was refused, and what a provider answered is in the books.
  const booked = await eventually(() => {
    const events = world.proxy.events.slice(before).map(({ event }) => event);
    return PROVIDER_ENDPOINTS.every((endpoint) => events.some((event) => event.endpoint === endpoint)) ? events : undefined;
  });
  for (const { endpoint, outcome } of booked) expect([endpoint, outcome]).toEqual([endpoint, 'succeeded']);
}

const curlIsThere = spawnSync('curl', ['--version']).status === 0;

test('each works as pasted into a shell', { timeout: PASTE_TIMEOUT_MS }, async (context) => {
  context.skip(!curlIsThere, 'there is no curl');
  await expectAllWork('curl', (pasted) => pasteIntoShell(pasted, { folder, key: world.proxy.key }));
});

test('each works as a file of TypeScript that Node runs', { timeout: PASTE_TIMEOUT_MS }, async () => {
  await expectAllWork('typescript', (pasted) => runWithNode(pasted, { folder, key: world.proxy.key }));
});

const pythonMissing = pythonLacks(['openai>=3', 'anthropic>=2', 'google-genai>=3']);

test(`each works as a file of Python${pythonMissing === null ? '' : ` (${pythonMissing})`}`, {
  timeout: PASTE_TIMEOUT_MS,
}, async (context) => {
  context.skip(pythonMissing !== null, pythonMissing ?? '');
  await expectAllWork('python', (pasted) => runWithPython(PYTHON, pasted, { folder, key: world.proxy.key }));
});
