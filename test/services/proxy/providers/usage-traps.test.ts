import { expect, test } from 'vitest';
import type { ProviderProtocol } from '../../../../schema/values/provider-protocol.ts';
import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import type { AnswerFacts } from '../../../../services/proxy/providers/provider.ts';
import { chatAnswersOf } from '../../../harness/chat-answers.ts';
import { chatRecording } from '../../../harness/provider-recordings.ts';

/** What the recorded answer told, read as that provider's. */
function factsOf(protocol: ProviderProtocol, name: string): AnswerFacts | undefined {
  const { bytes, events } = chatRecording(`${protocol}/${name.replace('CC', 'chat.completions')}`);
  const answers = chatAnswersOf(protocol);
  if (events === null) return answers.readAnswer(bytes, {})?.facts;
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
