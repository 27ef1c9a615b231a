import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createClientAddress } from '../../../services/runtime/client-address.ts';

function request(peer: string | undefined, forwarded?: string) {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: peer });
  return { socket, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } };
}
const trusted = ['10.0.0.0/8', '2001:db8:ffff::/48'];
const behind = (peer: string | undefined, forwarded?: string) => createClientAddress(trusted)(request(peer, forwarded));

test('by default no header is believed', () => {
  expect(createClientAddress([])(request('10.0.0.1', '192.0.2.7'))).toBe('10.0.0.1');
  expect(createClientAddress([])(request(undefined, '192.0.2.7'))).toBeNull();
});

test.each([
  ['one proxy', '10.0.0.1', '192.0.2.7', '192.0.2.7'],
  ['two proxies', '10.0.0.1', '192.0.2.7, 10.9.9.9', '192.0.2.7'],
  [
    'what the client itself wrote stands to the left, and is not looked at',
    '10.0.0.1',
    '10.0.0.9, nonsense, 198.51.100.1, 192.0.2.7',
    '192.0.2.7',
  ],
  ['a proxy of the other family', '2001:db8:ffff::1', '2001:db8::7', '2001:db8::7'],
  ['a socket of both families', '::ffff:10.0.0.1', '192.0.2.7', '192.0.2.7'],
  ['a port', '10.0.0.1', '192.0.2.7:4711', '192.0.2.7'],
  ['brackets', '10.0.0.1', '[2001:db8::7]', '2001:db8::7'],
  ['brackets and a port', '10.0.0.1', '[2001:db8::7]:4711', '2001:db8::7'],
  ['none but proxies: the farthest', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
])('behind %s', (_what, peer, forwarded, client) => {
  expect(behind(peer, forwarded)).toBe(client);
});

test('a proxy that forwards for nobody speaks for itself', () => {
  expect(behind('10.0.0.1')).toBe('10.0.0.1');
});

test('nobody else is believed', () => {
  expect(behind('192.0.2.7', '10.0.0.1')).toBe('192.0.2.7');
  expect(behind('::ffff:192.0.2.7', '10.0.0.1')).toBe('::ffff:192.0.2.7');
});

test.each([
  '',
  'unknown',
  '192.0.2.7,',
  '192.0.2.7, _hidden',
  '192.0.2.300',
  '[192.0.2.7',
  Array.from({ length: 17 }, () => '10.0.0.2').join(', '),
])('the client is unknown where a proxy says %j', (forwarded) => {
  expect(behind('10.0.0.1', forwarded)).toBeNull();
});
