import type { ServerResponse } from 'node:http';
import { SNIPPETS } from '../../../services/cli/snippet/snippets.ts';
import type { BatchRecords } from '../../../services/proxy/batches/batch-records.ts';
import type { FileRecord, FileRecords } from '../../../services/proxy/files/file-records.ts';
import { providerRecording } from '../../harness/provider-recordings.ts';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import type { UpstreamRequest } from '../../harness/scripted-upstream.ts';
import { answerJson, startScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { startSimulator } from '../../harness/simulator.ts';

export const CHANGED = 'a picture that was changed';
export const SOUND = 'a sound';

/** What providers answer that the simulator is not, by how the path ends. */
const answers: readonly (readonly [path: string, answer: (response: ServerResponse) => void])[] = [
  ['/messages/count_tokens', replay('anthropic/messages.count-tokens')],
  [':countTokens', replay('gemini/counttokens')],
  [':batchEmbedContents', replay('gemini/batchembedcontents')],
  [
    '/images/edits',
    (response) => answerJson(response, { created: 1_700_000_000, data: [{ b64_json: Buffer.from(CHANGED).toString('base64') }] }),
  ],
  [
    '/audio/speech',
    (response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      response.end(SOUND);
    },
  ],
  ['/audio/transcriptions', (response) => answerJson(response, { text: 'Hello, turnpike!', usage: { type: 'duration', seconds: 1 } })],
  ['/audio/translations', (response) => answerJson(response, { text: 'Hello, turnpike!', usage: { type: 'duration', seconds: 1 } })],
  ['/vector_stores', (response) => answerJson(response, { object: 'list', data: [{ id: 'vs_1', name: 'mine' }], has_more: false })],
];

function replay(name: string): (response: ServerResponse) => void {
  const body = providerRecording(name).bytes.toString('utf8');
  return (response) => answerJson(response, body);
}

function answer(response: ServerResponse, { path }: UpstreamRequest): void {
  const found = answers.find(([ending]) => path.endsWith(ending));
  if (found === undefined) answerJson(response, { error: { message: `nobody expected ${path}` } }, 500);
  else found[1](response);
}

/** Files and batches that are written down, and that nobody looks after. */
function uploadsOnly(): { readonly fileRecords: FileRecords; readonly batchRecords: BatchRecords } {
  const files = new Map<string, FileRecord>();
  const nothing = async (): Promise<void> => {};
  const empty = async () => ({ objects: [], hasMore: false });
  return {
    fileRecords: {
      add: async (file) => {
        files.set(file.id, file);
      },
      find: async (_organizationId, id) => files.get(id) ?? null,
      describe: nothing,
      remove: nothing,
      list: empty,
    },
    batchRecords: {
      begin: nothing,
      forget: nothing,
      name: async () => true,
      find: async () => null,
      describe: nothing,
      list: empty,
      isOwed: async () => false,
      claim: async () => null,
      postpone: nothing,
      fail: nothing,
      rate: async () => false,
      unbooked: async () => [],
      settle: nothing,
    },
  };
}

/** A proxy that has whatever the snippets ask for: of the simulator, and of providers whose answers are recorded. */
export async function startSnippetWorld(): Promise<{ readonly proxy: TestProxy } & AsyncDisposable> {
  const simulator = await startSimulator();
  const upstream = await startScriptedUpstream(answer);
  const names = new Set(SNIPPETS.flatMap(({ model }) => model ?? []));
  const proxy = await startProxy({
    providers: { sim: simulator.baseUrl, openai: upstream.baseUrl, anthropic: upstream.baseUrl, gemini: upstream.baseUrl },
    protocols: { anthropic: 'anthropic', gemini: 'gemini' },
    models: [...names].map((name) => testModel(name)),
    ...uploadsOnly(),
  });
  return {
    proxy,
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}
