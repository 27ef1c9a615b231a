import { UNKNOWN_USAGE } from '../../schema/values/token-usage.ts';
import type { AnswerEvent, Citation } from '../../services/proxy/conversation/answer-event.ts';

/** The dialects that an answer is written in, by what their columns are called. */
export const ANSWER_COLUMNS = {
  chat: 'chat completions',
  messages: 'messages',
  responses: 'responses',
  content: 'generateContent',
} as const;
export type AnswerColumn = keyof typeof ANSWER_COLUMNS;

/** What becomes of it: it stands so in the answer; it is told as not carried; or nobody can ask for it in that dialect, and it says nothing that is missed. */
export type Written = string | { readonly told: string } | null;

/** One thing that a model may answer. */
export interface AnswerFeature {
  readonly name: string;
  readonly events: readonly AnswerEvent[];
  readonly becomes: Readonly<Record<AnswerColumn, Written>>;
}

const text: AnswerEvent = { kind: 'text', choice: 0, text: 'rain' };
const thinking: AnswerEvent = { kind: 'thinking', choice: 0, text: 'well' };
const call: Extract<AnswerEvent, { kind: 'tool_call' }> = {
  kind: 'tool_call',
  choice: 0,
  call: 0,
  callId: 'call_a1',
  name: 'look_up',
  signature: null,
};
const cited = (citation: Partial<Citation>): AnswerEvent => ({
  kind: 'citation',
  choice: 0,
  citation: { title: 'Almanac', url: null, quoted: null, start: 0, end: 4, ...citation },
});
/** What travels in a reasoning item, marked as ours. */
const KEPT = '"encrypted_content":"tpk1.';

/** It is the second table of `docs/translation.md`. */
export const ANSWER_FEATURES: readonly AnswerFeature[] = [
  { name: 'text', events: [text], becomes: { chat: 'rain', messages: 'rain', responses: 'rain', content: 'rain' } },
  {
    name: 'calls, with their arguments',
    events: [call, { kind: 'tool_input', choice: 0, call: 0, json: '{"n":12345678901234567890}' }],
    becomes: {
      chat: '12345678901234567890',
      messages: '12345678901234567890',
      responses: '12345678901234567890',
      content: '12345678901234567890',
    },
  },
  {
    name: 'calls without arguments',
    events: [call],
    becomes: { chat: 'look_up', messages: '"name":"look_up","input":{}', responses: '"arguments":"{}"', content: 'look_up' },
  },
  {
    name: 'what proves a call to its provider',
    events: [{ ...call, signature: 'c2ln' }],
    becomes: {
      chat: '"thought_signature":"c2ln"',
      messages: '"signature":"c2ln"',
      responses: KEPT,
      content: '"thoughtSignature":',
    },
  },
  {
    name: 'reasoning',
    events: [thinking, text],
    becomes: {
      chat: '"reasoning_content":"well"',
      messages: '"thinking":"well"',
      responses: '"text":"well"',
      content: '"text":"well","thought":true',
    },
  },
  {
    name: 'the signature of reasoning',
    events: [thinking, { kind: 'thinking_signature', choice: 0, signature: 'c2ln' }, text],
    becomes: {
      chat: '"signature":"c2ln"',
      messages: '"signature":"c2ln"',
      responses: KEPT,
      content: '"thoughtSignature":',
    },
  },
  {
    name: 'reasoning that is not shown',
    events: [{ kind: 'redacted_thinking', choice: 0, data: 'c2Vj' }, text],
    becomes: { chat: '"data":"c2Vj"', messages: '"data":"c2Vj"', responses: KEPT, content: '"thoughtSignature":' },
  },
  {
    name: 'a refusal in words',
    events: [{ kind: 'refusal', choice: 0, text: 'I will not' }],
    becomes: {
      chat: '"refusal":"I will not"',
      messages: '"stop_reason":"refusal"',
      responses: '"refusal":"I will not"',
      content: 'I will not',
    },
  },
  {
    name: 'sources with an address',
    events: [text, cited({ url: 'https://a.example/b' })],
    becomes: {
      chat: 'https://a.example/b',
      messages: 'https://a.example/b',
      responses: 'https://a.example/b',
      content: 'https://a.example/b',
    },
  },
  {
    name: 'sources without one',
    events: [text, cited({})],
    becomes: { chat: { told: 'citations' }, messages: { told: 'citations' }, responses: 'Almanac', content: 'Almanac' },
  },
  {
    name: 'pictures that the model drew',
    events: [{ kind: 'image', choice: 0, mediaType: 'image/png', data: 'iVBORw0KGgo=' }],
    becomes: { chat: 'iVBORw0KGgo=', messages: { told: 'images' }, responses: 'iVBORw0KGgo=', content: 'iVBORw0KGgo=' },
  },
  {
    name: 'probabilities of tokens',
    events: [text, { kind: 'logprobs', choice: 0, tokens: [{ token: 'rain', logprob: -0.125, bytes: null, alternatives: [] }] }],
    becomes: { chat: '-0.125', messages: null, responses: '-0.125', content: '-0.125' },
  },
  {
    name: 'several answers',
    events: [text, { kind: 'text', choice: 1, text: 'sun' }],
    becomes: { chat: 'sun', messages: null, responses: null, content: 'sun' },
  },
  {
    name: 'an end by a stop sequence',
    events: [text, { kind: 'finished', choice: 0, reason: 'stop_sequence', stopSequence: 'ENOUGH' }],
    becomes: { chat: '"finish_reason":"stop"', messages: '"stop_sequence":"ENOUGH"', responses: null, content: '"finishReason":"STOP"' },
  },
  {
    name: 'that it was cut at its limit',
    events: [text, { kind: 'finished', choice: 0, reason: 'length', stopSequence: null }],
    becomes: {
      chat: '"finish_reason":"length"',
      messages: '"stop_reason":"max_tokens"',
      responses: '"reason":"max_output_tokens"',
      content: '"finishReason":"MAX_TOKENS"',
    },
  },
  {
    name: 'the service tier',
    events: [text, { kind: 'service_tier', tier: 'flex' }, { kind: 'usage', usage: { ...UNKNOWN_USAGE, input: 3, output: 2 } }],
    becomes: {
      chat: '"service_tier":"flex"',
      messages: '"service_tier":"flex"',
      responses: '"service_tier":"flex"',
      content: '"serviceTier":"flex"',
    },
  },
  {
    name: 'usage, with what was cached and what was reasoned',
    events: [text, { kind: 'usage', usage: { ...UNKNOWN_USAGE, input: 3, cacheRead: 77, output: 2, reasoning: 55 } }],
    becomes: {
      chat: '"cached_tokens":77',
      messages: '"cache_read_input_tokens":77',
      responses: '"cached_tokens":77',
      content: '"cachedContentTokenCount":77',
    },
  },
];

function cell(written: Written): string {
  return written === null ? '' : typeof written === 'string' ? '✓' : 'told';
}

/** The second table of `docs/translation.md`. */
export function answerTable(): string {
  const columns = Object.keys(ANSWER_COLUMNS) as AnswerColumn[];
  const head = ['said by a model', ...columns.map((column) => ANSWER_COLUMNS[column])];
  const rows = ANSWER_FEATURES.map(({ name, becomes }) => [name, ...columns.map((column) => cell(becomes[column]))]);
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}
