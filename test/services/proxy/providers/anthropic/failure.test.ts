import { expect, test } from 'vitest';
import { readErrorMember, readMessagesRefusal } from '../../../../../services/proxy/providers/anthropic/failure.ts';

const body = (type: string, message: string): Buffer => Buffer.from(JSON.stringify({ type: 'error', error: { type, message } }));

test.each([
  ['a wrong key', 401, 'authentication_error', 'invalid x-api-key'],
  ['an account without a payment', 402, 'billing_error', 'payment required'],
  ['a key that may not', 403, 'permission_error', 'not allowed'],
  ['an account out of credit', 400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'],
])('%s is about the gateway, and nothing of its words is passed on', (_case, status, type, message) => {
  for (const sameDialect of [true, false]) {
    const refusal = readMessagesRefusal(status, {}, body(type, message), sameDialect);
    expect(refusal).toMatchObject({
      status: 502,
      code: 'upstream_credentials_rejected',
      body: null,
      credentialRejected: true,
      retryable: false,
    });
    expect(JSON.stringify(refusal)).not.toContain(message);
  }
});

test.each([
  'prompt is too long: 3333404 tokens > 200000 maximum',
  'input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000, decrease input length or `max_tokens` and try again',
  'The request exceeds the context window of the model.',
])('a request beyond the context has the code of the contract: %s', (message) => {
  const refusal = readMessagesRefusal(400, { 'x-should-retry': 'false' }, body('invalid_request_error', message), false);
  expect(refusal).toMatchObject({ status: 400, code: 'context_length_exceeded', message, retryable: false });
});

test('a 4xx keeps its status, everything else is 502, and only who speaks the dialect gets 529', () => {
  expect(readMessagesRefusal(429, { 'retry-after': '7' }, body('rate_limit_error', 'slow'), false)).toMatchObject({
    status: 429,
    code: 'rate_limit_exceeded',
    type: 'rate_limit_error',
    retryAfter: '7',
    retryable: true,
  });
  expect(readMessagesRefusal(413, {}, body('request_too_large', 'large'), false)).toMatchObject({ status: 413, retryable: false });
  expect(readMessagesRefusal(500, {}, body('api_error', 'oh'), true)).toMatchObject({ status: 502, code: 'api_error', retryable: true });
  expect(readMessagesRefusal(529, {}, body('overloaded_error', 'oh'), true)).toMatchObject({ status: 529, code: 'overloaded_error' });
  expect(readMessagesRefusal(529, {}, body('overloaded_error', 'oh'), false)).toMatchObject({
    status: 502,
    meta: { provider_status: 529 },
  });
});

test('whether to try again, Anthropic says itself', () => {
  expect(readMessagesRefusal(429, { 'x-should-retry': 'false' }, body('rate_limit_error', 'no'), true).retryable).toBe(false);
  expect(readMessagesRefusal(400, { 'x-should-retry': 'true' }, body('invalid_request_error', 'yes'), true).retryable).toBe(true);
});

test('what is no error of its dialect is rendered anew', () => {
  for (const bytes of ['<html>', '[]', '{"error":"text"}', '{"error":{"message":"no type"}}']) {
    expect(readMessagesRefusal(400, {}, Buffer.from(bytes), true)).toMatchObject({ status: 400, body: null });
  }
});

test('an error that came without a status has that of its type', () => {
  expect(readErrorMember({ type: 'overloaded_error', message: 'Overloaded' }, true)).toMatchObject({ status: 529 });
  expect(readErrorMember({ type: 'rate_limit_error', message: 'slow' }, false)).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
  expect(readErrorMember({ type: 'authentication_error', message: 'no' }, false)).toMatchObject({ status: 502, credentialRejected: true });
  expect(readErrorMember(null, false)).toMatchObject({ status: 502 });
});
