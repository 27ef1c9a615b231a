import { expect, test } from 'vitest';
import { listenRefusal } from '../../../services/runtime/listen-refusal.ts';
import { StartRefusal } from '../../../services/runtime/start-refusal.ts';

const target = { variable: 'TURNPIKE_API_PORT', host: '127.0.0.1', port: 4100 };

test.each([
  ['EADDRINUSE', 'Set TURNPIKE_API_PORT to another port'],
  ['EACCES', 'Set TURNPIKE_API_PORT to a port above 1023'],
  ['EADDRNOTAVAIL', 'Set TURNPIKE_HOST'],
])('%s names the variable to set', (code, expected) => {
  const refusal = listenRefusal(Object.assign(new Error('listen'), { code }), target);
  expect(refusal).toBeInstanceOf(StartRefusal);
  expect(String(refusal)).toContain(expected);
});

test('any other error stays what it was', () => {
  const error = new Error('something else');
  expect(listenRefusal(error, target)).toBe(error);
});
