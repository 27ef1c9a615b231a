import { expect, test } from 'vitest';
import type { ProviderProtocol } from '../../../../../schema/values/provider-protocol.ts';
import { codeOf } from '../../../../../services/proxy/answer/error-dialect.ts';
import { openaiErrors } from '../../../../../services/proxy/answer/openai-errors.ts';
import { chatAnswersOf } from '../../../../harness/chat-answers.ts';

const read = (protocol: ProviderProtocol, status: number, body: unknown) => {
  const bytes = Buffer.from(JSON.stringify(body));
  const refusal = chatAnswersOf(protocol).readRefusal(status, {}, bytes);
  const sent = refusal.body ?? openaiErrors.whole(refusal, 'req_1');
  return { ...refusal, code: codeOf(refusal), error: JSON.parse(sent.toString('utf8')).error, asItCame: sent.equals(bytes) };
};

// As the servers' own sources and issues quote them.
test.each<[string, ProviderProtocol, number, string]>([
  ['Fireworks', 'fireworks', 400, 'The prompt is too long: 140000, model maximum context length: 131071'],
  ['Mistral', 'mistral', 400, 'Prompt contains 65673 tokens and 0 draft tokens, too large for model with 32768 maximum context length'],
  ['OpenRouter', 'openrouter', 400, "This endpoint's maximum context length is 262144 tokens. However, you requested about 300000 tokens"],
  ['xAI', 'xai', 400, "This model's maximum prompt length is 131072 but the request contains 204000 tokens."],
  ['vLLM', 'openai', 400, "This model's maximum context length is 4096 tokens. However, your request has 5000 input tokens."],
  ['llama.cpp', 'openai', 400, 'the request exceeds the available context size, try increasing it'],
  ['LM Studio', 'openai', 400, 'The number of tokens to keep from the initial prompt is greater than the context length.'],
  ['Text Generation Inference', 'openai', 422, 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000'],
])('a request beyond the context is told by one code, whatever %s says', (_name, protocol, status, message) => {
  expect(read(protocol, status, { error: { message, type: 'invalid', code: status } })).toMatchObject({
    status: 400,
    code: 'context_length_exceeded',
    retryable: false,
    error: { type: 'invalid_request_error', code: 'context_length_exceeded', message, provider_status: status },
  });
});

test('a request beyond the context that says so already passes as it came', () => {
  const error = { message: 'too long', type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' };
  expect(read('openai', 400, { error })).toMatchObject({ status: 400, asItCame: true, code: 'context_length_exceeded' });
});

test('a rate limit that speaks of length is no request beyond the context', () => {
  const error = { message: 'maximum context length', type: 'tokens', param: null, code: 'rate_limit_exceeded' };
  expect(read('openai', 429, { error })).toMatchObject({ status: 429, code: 'rate_limit_exceeded', asItCame: true });
});

test('Groq: a request larger than the limit allows at all is not worth another try', () => {
  const error = { message: 'Request too large', type: 'tokens', code: 'rate_limit_exceeded' };
  expect(read('groq', 413, { error })).toMatchObject({ status: 413, code: 'rate_limit_exceeded', retryable: false });
});

test('xAI: a wrong credential comes as 400 and is the operator’s, not the application’s', () => {
  const body = { code: 'invalid-argument', error: 'Incorrect API key provided. You can obtain an API key from https://console.x.ai.' };
  expect(read('xai', 400, body)).toMatchObject({ status: 502, code: 'upstream_credentials_rejected', credentialRejected: true });
  expect(read('openai', 400, body)).toMatchObject({ status: 400, code: 'invalid-argument', credentialRejected: false });
  expect(read('xai', 400, { code: 'invalid-argument', error: 'no such field' })).toMatchObject({
    status: 400,
    error: { message: 'no such field', code: 'invalid-argument', type: 'invalid_request_error' },
  });
});

test('OpenRouter: flagged content is refused as such, a key without credit is the operator’s', () => {
  const flagged = { error: { code: 403, message: 'flagged', metadata: { reasons: ['violence'], flagged_input: 'x', provider_name: 'p' } } };
  expect(read('openrouter', 403, flagged)).toMatchObject({ status: 400, code: 'content_filter', credentialRejected: false });
  const keyLimit = { error: { code: 403, message: 'Key limit exceeded' } };
  expect(read('openrouter', 403, keyLimit)).toMatchObject({ status: 502, credentialRejected: true });
  expect(read('openai', 403, flagged)).toMatchObject({ status: 502, credentialRejected: true });
});

test.each([
  [{ detail: 'Not Found' }, 'Not Found'],
  [{ object: 'error', message: { detail: [{ type: 'x', loc: ['body', 'n'], msg: 'too many' }] }, type: 'y', code: null }, 'n: too many'],
  [
    {
      detail: [
        { loc: ['body', 'messages', 0], msg: 'is required' },
        { loc: [], msg: 'no' },
      ],
    },
    'messages.0: is required; no',
  ],
  [{ object: 'error', message: 'bad', type: 'BadRequestError', param: null, code: 40303 }, 'bad'],
  [{ error: 'model not found' }, 'model not found'],
  [{ error: {} }, 'The provider failed to answer.'],
  ['nothing', 'The provider failed to answer.'],
])('what a provider says against a body is passed on, whatever its shape: %j', (body, message) => {
  expect(read('mistral', 422, body)).toMatchObject({ status: 422, error: { message } });
});
