import { expect, test } from 'vitest';
import type { ProviderProtocol } from '../../../../schema/values/provider-protocol.ts';
import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import type { AnswerFacts, AnswerReader } from '../../../../services/proxy/providers/provider.ts';
import { chatAnswersOf, responseAnswersOf } from '../../../harness/chat-answers.ts';
import { chatRecording, providerRecording } from '../../../harness/provider-recordings.ts';

/** What the recorded answer told, read as that provider's. */
function factsOf(protocol: ProviderProtocol, name: string): AnswerFacts | undefined {
  const { bytes, events } = chatRecording(`${protocol}/${name.replace('CC', 'chat.completions')}`);
  return factsIn(chatAnswersOf(protocol), bytes, events !== null);
}

/** The same of an answer in another dialect than chat completions; of Bedrock's all that stream come in frames. */
function otherFactsOf(protocol: ProviderProtocol, name: string): AnswerFacts | undefined {
  const { bytes, events } = providerRecording(`${protocol}/${name}`);
  return factsIn(
    name.startsWith('responses') ? responseAnswersOf(protocol) : chatAnswersOf(protocol),
    bytes,
    events !== null || name.includes('.stream.'),
  );
}

function factsIn(answers: AnswerReader, bytes: Buffer, isStream: boolean): AnswerFacts | undefined {
  if (!isStream) return answers.readAnswer(bytes, {})?.facts;
  const ignore = (): void => {};
  const sink = { pass: ignore, completed: ignore, failed: ignore, broken: ignore };
  const reader = answers.createStreamReader({ usageAsked: true, choices: 1 }, sink);
  reader.push(bytes);
  reader.end(true);
  return reader.facts();
}

// reference/providers.md 2.1 and 2.2; the numbers are the recordings' own.
test.each<[trap: string, ProviderProtocol, recording: string, usage: Partial<TokenUsage>, flags: string[]]>([
  ['Groq sends its usage three times: it counts once', 'huggingface', 'CC.stream.parallel', { input: 201, output: 55 }, []],
  ['Groq sends it in x_groq alone: it counts', 'groq', 'CC.stream.tool-call_x-groq-usage', { input: 210, output: 15, cacheRead: null }, []],
  [
    'xAI has reasoning outside of its completion',
    'xai',
    'CC.stream.parallel',
    { input: 274, cacheRead: 192, output: 68, reasoning: 266 },
    [],
  ],
  ['DeepSeek tells hits twice and misses beside them', 'deepseek', 'CC.stream.tool-call', { input: 112, cacheRead: 384, output: 31 }, []],
  [
    'Grok at Azure reports more cached tokens than input: no class is below zero',
    'azure-openai',
    'CC.stream.tool-call',
    { input: 0, cacheRead: 347, output: 18 },
    ['class_clamped'],
  ],
  [
    'OpenRouter reports more reasoning than output, before an error in the stream',
    'openrouter',
    'CC.stream.reasoning_stop',
    { input: 43, cacheRead: 0, output: 0, reasoning: 10 },
    ['class_clamped'],
  ],
  ['Perplexity repeats its usage on every chunk: the last counts', 'perplexity', 'CC.stream.web', { input: 8, output: 5 }, []],
  ['Together has cached tokens beside the counts', 'together', 'CC.stream.text', { input: 41, cacheRead: 0, output: 15 }, []],
  ['Mistral has them under a name of its own', 'mistral', 'CC.sync.tool-result', { input: 241, cacheRead: 32, output: 104 }, []],
  ['Mistral puts the tier inside the usage', 'mistral', 'CC.sync.tool-call', { input: 32, cacheRead: 112, output: 28 }, []],
  [
    'Hugging Face passes null details: unknown, not 0',
    'huggingface',
    'CC.sync.image',
    { input: 269, cacheRead: null, reasoning: null },
    [],
  ],
  [
    'a model that only thought has an output of 0',
    'openai',
    'CC.stream.stop-length',
    { input: 12, cacheRead: 0, output: 0, reasoning: 100 },
    [],
  ],
  [
    'sound, cached tokens and reasoning are parts of the counts',
    'openai',
    'CC.sync.cache-read_audio',
    { input: 6, cacheRead: 1, inputAudio: 2, output: 3, reasoning: 3, outputAudio: 4 },
    [],
  ],
])('%s', (_trap, protocol, recording, usage, flags) => {
  const facts = factsOf(protocol, recording);
  expect(facts?.usage).toMatchObject(usage);
  expect(facts?.usageFlags).toEqual(flags);
});

test('a stream without usage has an unknown one, which is not 0', () => {
  for (const [protocol, recording] of [
    ['azure-openai', 'CC.stream.stream-no-usage'],
    ['openai', 'CC.stream.stream-no-usage'],
  ] as const) {
    expect(factsOf(protocol, recording)).toMatchObject({
      usage: null,
      rawUsage: null,
      usageFlags: ['usage_missing'],
      reportedCostPico: null,
    });
  }
});

test('Grok at Azure reports a cost of 0 for tokens that were used: it is not taken for one', () => {
  const facts = factsOf('azure-openai', 'CC.stream.tool-call');
  expect(facts?.rawUsage).toContain('"cost_in_usd_ticks": 0');
  expect(facts?.reportedCostPico).toBeNull();
});

// The same pages, of the dialects that are not OpenAI's chat completions.
test.each<[trap: string, ProviderProtocol, recording: string, usage: Partial<TokenUsage>, flags: string[]]>([
  [
    'Anthropic counts in a stream what came so far: the last value of each number, none added',
    'anthropic',
    'messages.stream.message-delta-repeats',
    { input: 61, output: 2 },
    [],
  ],
  [
    'what the tools of Anthropic read is told at the end, and is ten times the input of the start',
    'anthropic',
    'messages.stream.reasoning_web-search',
    { input: 22_397, cacheRead: 0, output: 637 },
    [],
  ],
  [
    'the step that compacts is left out of the counts beside it: the steps are summed',
    'anthropic',
    'messages.sync.pause-or-compaction',
    { input: 55_416 },
    [],
  ],
  [
    'cached tokens of Anthropic lie outside of its input, thinking inside of its output',
    'anthropic',
    'messages.sync.reasoning_cache-write',
    { input: 16, cacheRead: 13_637, cacheWrite5m: 7_049, cacheWrite1h: 0, output: 311, reasoning: 33 },
    [],
  ],
  [
    'the input that Gemini counts falls towards the end: the last counts',
    'gemini',
    'streamgeneratecontent.stream.text',
    { input: 13, output: 8 },
    [],
  ],
  [
    'thoughts of Gemini lie outside of its candidates',
    'gemini',
    'generatecontent.sync.image-in',
    { input: 14, inputImage: 258, output: 86, reasoning: 641 },
    [],
  ],
  [
    'what tools brought in is an addend of the input',
    'gemini',
    'generatecontent.sync.code-exec',
    { input: 234, output: 122, reasoning: 87 },
    [],
  ],
  [
    'a Gemini that only thought names no candidates: 0, as its total says',
    'gemini',
    'generatecontent.sync.stop-length',
    { input: 15, output: 0, reasoning: 2 },
    [],
  ],
  [
    'a number of Bedrock comes under two names and counts once; the cache lies outside of its input',
    'bedrock',
    'converse.sync.cache-write',
    { input: 3, cacheRead: 1_712, cacheWrite5m: 236, cacheWrite1h: 0, output: 121 },
    [],
  ],
  [
    'usage of Bedrock comes behind the stop of the model',
    'bedrock',
    'converse-stream.stream.cache-read',
    { input: 12, cacheRead: 1_028, output: 250 },
    [],
  ],
  [
    'Cohere bills without its hidden template, of which cached tokens are a part',
    'cohere',
    'v2.chat.stream.tool-call',
    { input: 181, cacheRead: null, output: 34 },
    [],
  ],
  ['Cohere counts 496 tokens and bills one', 'cohere', 'v2.chat.sync.text', { input: 1, output: 9 }, []],
  [
    'xAI has reasoning inside of its output where it answers as a response',
    'xai',
    'responses.sync.tool-result',
    { input: 439, cacheRead: 192, output: 64, reasoning: 159 },
    [],
  ],
  [
    'what is written to a cache lies within the input of OpenAI',
    'openrouter',
    'responses.sync.cache-write',
    { input: 8, cacheRead: 0, cacheWrite5m: 4_012, output: 5, reasoning: 0 },
    [],
  ],
])('%s', (_trap, protocol, recording, usage, flags) => {
  const facts = otherFactsOf(protocol, recording);
  expect(facts?.usage).toMatchObject(usage);
  expect(facts?.usageFlags).toEqual(flags);
});

test('a prompt that was blocked tells no counts: what it used is unknown, and not 0', () => {
  expect(otherFactsOf('vertex', 'generatecontent.sync.filtered')).toMatchObject({ usage: null, usageFlags: ['usage_missing'] });
});

test.each<[ProviderProtocol, recording: string, tier: string]>([
  ['openai', 'responses.stream.tool-call_reasoning_service-tier', 'flex'],
  ['vertex', 'streamgeneratecontent.stream.service-tier', 'ON_DEMAND_FLEX'],
  ['bedrock', 'converse.sync.service-tier', 'flex'],
])('the tier that %s answered with sets the price, not the one asked for', (protocol, recording, tier) => {
  expect(otherFactsOf(protocol, recording)?.serviceTier).toBe(tier);
});

test('a fee for what a provider searched is in the cost that it reports, which stands beside ours', () => {
  const facts = otherFactsOf('xai', 'responses.sync.reasoning_cache-read_web-search');
  expect([facts?.reportedCostPico, facts?.units?.searches]).toEqual([16_070_850_000n, 2]);
});
