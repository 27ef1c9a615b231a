import { expect, test } from 'vitest';
import type { ChatCompletionRequest } from '../../../../schema/http/chat-completions.ts';
import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import type { AnswerEvent } from '../../../../services/proxy/conversation/answer-event.ts';
import { bridged } from '../../../../services/proxy/conversation/bridge.ts';
import { chatCompletionsDialect } from '../../../../services/proxy/dialects/chat-completions/chat-completions-dialect.ts';
import type { PreparedCall, ProviderRefusal } from '../../../../services/proxy/providers/provider.ts';
import { testTarget } from '../../../harness/test-target.ts';
import { SCRIPTED_FACTS, SCRIPTED_REFUSAL, scriptedDialect, scriptOf } from './scripted-dialect.ts';

const operation = bridged(chatCompletionsDialect, scriptedDialect);
const target = testTarget('openai');

function prepare(
  request: Partial<ChatCompletionRequest> & Readonly<Record<string, unknown>>,
  outputTokens: number | null = null,
): PreparedCall {
  const body = { model: 'scripted/model', messages: [{ role: 'user', content: 'hi' }], ...request };
  const context = { requestId: 'req_7', nowMs: 1_700_000_000_999, modelRequested: 'scripted/model', headers: {}, isSharedAccount: false };
  return operation({ bytes: Buffer.from(JSON.stringify(body)), media: null, request: body, outputTokens }, target, context);
}

const ANSWER: readonly AnswerEvent[] = [
  { kind: 'started', id: null, model: null, usage: null },
  { kind: 'text', choice: 0, text: 'Hi' },
  { kind: 'text', choice: 0, text: ' there' },
  { kind: 'finished', choice: 0, reason: 'stop', stopSequence: null },
  { kind: 'usage', usage: { ...UNKNOWN_USAGE, input: 3, output: 2 } },
];

/** What a stream gave, write by write. */
function stream(chunks: readonly Buffer[], usageAsked = false): { readonly writes: readonly string[]; readonly end: boolean } {
  const writes: string[] = [];
  const sink = {
    pass: (bytes: Buffer) => writes.push(bytes.toString('utf8')),
    completed: (ending: Buffer) => writes.push(`completed:${ending.toString('utf8')}`),
    failed: (event: Buffer | null, refusal: ProviderRefusal) =>
      writes.push(`failed:${event === null && refusal.body === null}:${refusal.code}`),
    broken: () => writes.push('broken'),
  };
  const reader = prepare({ stream: true }).answers.createStreamReader({ usageAsked, choices: 1 }, sink);
  for (const chunk of chunks) reader.push(chunk);
  expect(reader.facts()).toBe(SCRIPTED_FACTS);
  return { writes, end: reader.end(true) };
}

test('a request goes out in the words of the provider, with what its route sets and what is not carried', () => {
  const { path, body, headers, notCarried } = prepare(
    { seed: 1, logit_bias: { 1: 1 }, messages: [0, 1].map(() => ({ role: 'user', name: 'x', content: 'hi' })) },
    64,
  );
  expect([path, headers]).toEqual([`/${target.upstreamModel}`, ['x-scripted', '1']]);
  expect(JSON.parse(body.toString('utf8'))).toMatchObject({ maxOutputTokens: 64, seed: 1, turns: [{ role: 'user' }, { role: 'user' }] });
  // Each once, however often it is there.
  expect(notCarried).toEqual(['logit_bias', 'messages[].name', 'seed']);
  expect(prepare({}).notCarried).toEqual([]);
});

test('a whole answer is one of the application’s dialect', () => {
  const { answers } = prepare({});
  expect(answers.isStream('text/scripted')).toBe(true);
  const reading = answers.readAnswer(scriptOf([...ANSWER, 'done']), {});
  expect(reading).toMatchObject({ facts: SCRIPTED_FACTS, refusal: null });
  expect(JSON.parse(reading?.body?.toString('utf8') ?? '')).toMatchObject({
    id: 'chatcmpl-7',
    created: 1_700_000_000,
    model: 'scripted/model',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hi there' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  });
  expect(answers.readAnswer(scriptOf(ANSWER), {})).toBeNull();
});

test('what one read brings is one write, and the rest ends the answer', () => {
  const [first, second, ...rest] = ANSWER.map((event) => scriptOf([event]));
  const { writes, end } = stream(
    [first ?? Buffer.of(), second ?? Buffer.of(), Buffer.concat([...rest, scriptOf(['done'])]), scriptOf(ANSWER)],
    true,
  );
  expect(end).toBe(true);
  expect(writes).toHaveLength(2);
  expect(writes[0]?.match(/data: /g)).toHaveLength(2);
  expect(writes[1]).toMatch(/^completed:data: .*" there".*"stop".*"prompt_tokens":3.*data: \[DONE\]\n\n$/s);
});

test('an error in a stream, or under status 200, is never told in the words of the provider', () => {
  expect(stream([scriptOf([ANSWER[1] ?? 'done', 'failed', 'done'])]).writes).toEqual([expect.stringContaining('"Hi"'), 'failed:true:no']);
  expect(stream([scriptOf(['failed'])]).writes).toEqual(['failed:true:no']);
  const { answers } = prepare({});
  expect(answers.readAnswer(scriptOf(['failed']), {})).toEqual({
    facts: SCRIPTED_FACTS,
    body: null,
    refusal: { ...SCRIPTED_REFUSAL, body: null },
  });
  expect(answers.readRefusal(429, {}, Buffer.of())).toEqual({ ...SCRIPTED_REFUSAL, status: 429, body: null });
});

test('a stream that breaks off never looks complete', () => {
  expect(stream([scriptOf(ANSWER)])).toMatchObject({ end: false, writes: [expect.not.stringContaining('[DONE]')] });
  expect(stream([scriptOf(['broken', ...ANSWER])]).writes).toEqual(['broken']);
});
