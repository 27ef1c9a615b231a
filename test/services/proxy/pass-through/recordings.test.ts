import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROVIDER_PROTOCOLS } from '../../../../schema/values/provider-protocol.ts';
import type { ProviderRecording } from '../../../harness/provider-recordings.ts';
import { allRecordings } from '../../../harness/provider-recordings.ts';
import type { TestProxy } from '../../../harness/proxy.ts';
import { startProxy, testModel } from '../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../../harness/scripted-upstream.ts';
import { recordingScript } from '../../../harness/serve-recording.ts';

// Those of Bedrock and Vertex AI need credentials to sign with: their own tests replay them.
const protocols = PROVIDER_PROTOCOLS.filter((protocol) => protocol !== 'bedrock' && protocol !== 'vertex');

let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  const { origin } = new URL(upstream.baseUrl);
  proxy = await startProxy({
    providers: Object.fromEntries(protocols.map((protocol) => [protocol, origin])),
    protocols: Object.fromEntries(protocols.map((protocol) => [protocol, protocol])),
    models: [testModel('openai/model')],
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const providerOf = ({ name }: ProviderRecording): string => name.slice(0, name.indexOf('/'));
const recordings = allRecordings().filter((recording) => protocols.some((protocol) => protocol === providerOf(recording)));

const replay = async (recording: ProviderRecording) => {
  upstream.script = recordingScript(recording);
  const response = await proxy.post(`/${providerOf(recording)}${recording.path}`, recording.request);
  const bytes = Buffer.from(await response.arrayBuffer());
  return { bytes, event: await proxy.eventOf(response.headers.get('x-request-id')) };
};

const isRefused = ({ status }: ProviderRecording): boolean => status >= 300;
/** A broken-off answer, a count, or one of what is not billed by tokens says nothing of them. */
const UNTOLD: readonly string[] = [
  'anthropic/messages.count-tokens.sync.tool-result-in.claude-sonnet-4-5',
  'azure-openai/chat.completions.stream.stream-no-usage.openllmetry-testing',
  'gemini/counttokens.sync.structured.gemini-3.5-flash',
  'gemini/streamgeneratecontent.stream.reasoning_structured.gemini-flash-latest',
  'gemini/streamgeneratecontent.stream.tool-result-in.gemini-3-flash-preview',
  'groq/chat.completions.stream.reasoning_mid-stream-error.gpt-oss-120b',
  'openai/audio.speech.sync.text.gpt-4o-mini-tts',
  'openai/audio.transcriptions.sync.text.unknown',
  'openai/chat.completions.stream.stream-no-usage.gpt-4.1',
  'openai/images.generations.sync.text.dall-e-2',
  'openai/moderations.sync.image-in.omni-moderation-latest',
  'openai/responses.stream.error-event-then-failed.gpt-5-nano',
  'openai/responses.sync.text.gpt-4o',
];

test('every recorded answer passes to the byte, its usage read where it tells it, and none for free', async () => {
  const untold: string[] = [];
  for (const recording of recordings.filter((each) => !isRefused(each))) {
    const { bytes, event } = await replay(recording);
    const { name } = recording;
    expect({ name, isWhole: bytes.equals(recording.bytes), costPico: event.costPico }).toEqual({ name, isWhole: true, costPico: null });
    if (event.usage === null && event.units === null) untold.push(name);
  }
  expect(untold).toEqual(UNTOLD);
});

test('every recorded refusal is one to the application, and costs nothing', async () => {
  for (const recording of recordings.filter(isRefused)) {
    const { event } = await replay(recording);
    const { name } = recording;
    expect({ name, outcome: event.outcome, costPico: event.costPico }).toEqual({ name, outcome: 'failed', costPico: '0' });
  }
});
