import { expect, test } from 'vitest';
import { GatewayError } from '../../../../schema/errors.ts';
import { codeOf, wordsOf } from '../../../../services/proxy/answer/error-dialect.ts';
import { openaiErrors } from '../../../../services/proxy/answer/openai-errors.ts';

const unsaid = { type: null, code: null, message: 'm', param: null, meta: { provider_status: 1 } };

test.each([
  [400, 'invalid_request_error', 'upstream_error'],
  [429, 'rate_limit_error', 'rate_limit_exceeded'],
  [502, 'api_error', 'upstream_error'],
])('an error that says only its status %i has the type and the code of that status', (status, type, code) => {
  const error = { message: 'm', type, param: null, code, provider_status: 1, request_id: 'req_1' };
  expect(JSON.parse(openaiErrors.whole({ ...unsaid, status }, 'req_1').toString())).toEqual({ error });
  expect(codeOf({ ...unsaid, status })).toBe(code);
});

test('in a stream an error is the same envelope as an event', () => {
  const words = wordsOf(new GatewayError('invalid_request', { param: 'n', meta: { message: 'never this' } }));
  const event = openaiErrors.event(words, 'req_1').toString();
  expect(event).toBe(`data: ${openaiErrors.whole(words, 'req_1').toString()}\n\n`);
  expect(JSON.parse(event.slice('data: '.length)).error).toMatchObject({ message: 'The request is not valid.', param: 'n' });
});

test('the books have the code of an error, or else its type', () => {
  expect(codeOf({ ...unsaid, status: 400, type: 'invalid_model' })).toBe('invalid_model');
  expect(codeOf({ ...unsaid, status: 400, type: 'invalid_model', code: '1500' })).toBe('1500');
});
