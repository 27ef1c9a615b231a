import { expect, test } from 'vitest';
import { GatewayError } from '../../../../schema/errors.ts';
import { wordsOf } from '../../../../services/proxy/answer/error-dialect.ts';
import { responsesErrors } from '../../../../services/proxy/answer/responses-errors.ts';

test('an error in a stream has all that clients insist on: its name, its number, and its words in both places', () => {
  const event = responsesErrors.event(wordsOf(new GatewayError('timeout')), 'req_1').toString('utf8');
  expect(event).toMatch(/^event: error\ndata: .*\n\n$/);
  const said = JSON.parse(event.slice(event.indexOf('{')));
  expect(said).toMatchObject({
    type: 'error',
    code: 'timeout',
    param: null,
    error: { code: 'timeout', type: 'api_error', request_id: 'req_1' },
  });
  expect(said.message).toBe(said.error.message);
  expect(Number.isSafeInteger(said.sequence_number)).toBe(true);
});
