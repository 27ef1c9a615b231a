import { BlockList } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAddressList, isWithin, parseCidr } from '../../../services/runtime/address-list.ts';

const ipv4 = fc.ipV4();
const block = fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })).map(([address, prefix]) => {
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const network = prefix === 0 ? 0 : Math.floor(number / 2 ** (32 - prefix)) * 2 ** (32 - prefix);
  return `${[24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join('.')}/${prefix}`;
});

test.each([
  ['10.0.0.0/8', '10.0.0.0', 8],
  ['192.0.2.7', '192.0.2.7', 32],
  ['0.0.0.0/0', '0.0.0.0', 0],
  ['2001:DB8:0::/32', '2001:db8::', 32],
  ['::1', '::1', 128],
  ['::/0', '::', 0],
])('%s is the block %s/%i', (text, network, prefix) => {
  expect(parseCidr(text)).toMatchObject({ network, prefix });
});

test.each([
  ['', 'nothing'],
  ['10.0.0.0/33', 'too long a prefix'],
  ['2001:db8::/129', 'too long a prefix'],
  ['10.0.0.1/8', 'bits beyond the prefix'],
  ['2001:db8::1/32', 'bits beyond the prefix'],
  ['10.0.0.0/8/8', 'two prefixes'],
  ['10.0.0.0/', 'no prefix'],
  ['10.0.0.0/-1', 'a negative prefix'],
  ['10.0.0.0/ 8', 'a space'],
  ['example.org', 'a name'],
  ['10.1/16', 'an abbreviated address'],
  ['fe80::%eth0/64', 'an interface'],
  ['::ffff:10.0.0.0/104', 'IPv4 written as IPv6, which no connection is told as'],
])('%s is no block: %s', (text) => {
  expect(parseCidr(text)).toBeNull();
});

test('a list holds exactly the addresses of its blocks, also where a socket of both families tells IPv4 as IPv6', () => {
  fc.assert(
    fc.property(fc.array(block, { minLength: 1, maxLength: 4 }), ipv4, (cidrs, address) => {
      const list = createAddressList(cidrs);
      const inside = cidrs.some((cidr) => isWithin(parsed(`${address}/32`), [parsed(cidr)]));
      expect(list.includes(address)).toBe(inside);
      expect(list.includes(`::ffff:${address}`)).toBe(inside);
    }),
  );
  const list = createAddressList(['2001:db8::/32', 'fe80::/10']);
  expect(['2001:db8:1::5', 'fe80::1%eth0', '2001:db9::', '10.0.0.1', 'nonsense', ''].map((address) => list.includes(address))).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

test('an unknown address is in no list, not even in the one of all', () => {
  expect(createAddressList(['0.0.0.0/0', '::/0']).includes(null)).toBe(false);
});

test('a block lies within another exactly when its first and its last address do and it is no wider', () => {
  fc.assert(
    fc.property(block, block, (inner, outer) => {
      const list = new BlockList();
      const [network = '', prefix = ''] = outer.split('/');
      list.addSubnet(network, Number(prefix), 'ipv4');
      const { value, prefix: width } = parsed(inner);
      const last = value + 2n ** BigInt(32 - width) - 1n;
      const text = (number: bigint) => [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join('.');
      expect(isWithin(parsed(inner), [parsed(outer)])).toBe(list.check(text(value), 'ipv4') && list.check(text(last), 'ipv4'));
    }),
  );
  expect(isWithin(parsed('::/0'), [parsed('0.0.0.0/0')])).toBe(false);
});

function parsed(text: string) {
  const cidr = parseCidr(text);
  if (cidr === null) throw new Error(`${text} is no block`);
  return cidr;
}
