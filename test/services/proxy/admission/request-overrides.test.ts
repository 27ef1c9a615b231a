import { expect, test } from 'vitest';
import { requestOverrides } from '../../../../services/proxy/admission/request-overrides.ts';

const all = new Set(['timeout', 'stream-timeout'] as const);

test('a request without such headers is bound by nothing, whatever its key allows', () => {
  for (const allowed of [null, all]) {
    expect(requestOverrides({ 'x-turnpike-tags': 'a' }, allowed)).toEqual({ timeoutMs: null, streamTimeoutMs: null });
  }
});

test('a key that allows them lets a request bound itself, by our header before its alias', () => {
  const headers = { 'x-turnpike-timeout': '2.5', 'x-litellm-timeout': '9', 'x-litellm-stream-timeout': '1' };
  expect(requestOverrides(headers, all)).toEqual({ timeoutMs: 2_500, streamTimeoutMs: 1_000 });
});

test.each([
  ['x-turnpike-timeout', null],
  ['x-litellm-stream-timeout', null],
  ['x-litellm-stream-timeout', new Set(['timeout'] as const)],
  ['x-turnpike-num-retries', all],
  ['x-litellm-priority', all],
  ['x-turnpike-enable-message-redaction', all],
])('%s is refused by name where the key does not allow it, or no key can', (name, allowed) => {
  expect(() => requestOverrides({ [name]: '5' }, allowed)).toThrow(
    expect.objectContaining({ code: 'header_not_allowed', param: name, message: `Header '${name}': this API key may not override it.` }),
  );
});

test.each(['', '0', '0.5', '-1', '1e3', '3601', '99999', 'soon', '5,5', ' 5'])(
  '%j is no number of seconds, and is refused, not ignored',
  (text) => {
    expect(() => requestOverrides({ 'x-turnpike-timeout': text }, all)).toThrow(
      expect.objectContaining({ code: 'header_not_allowed', param: 'x-turnpike-timeout' }),
    );
  },
);
