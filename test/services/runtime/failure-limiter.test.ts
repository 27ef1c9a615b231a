import { expect, test } from 'vitest';
import { createFailureLimiter } from '../../../services/runtime/failure-limiter.ts';

function limiter(options: { readonly burst?: number; readonly perSecond?: number; readonly maxAddresses?: number } = {}) {
  let nowMs = 1_000;
  const made = createFailureLimiter({ clock: { now: () => 0, monotonic: () => nowMs }, burst: 3, perSecond: 1, ...options });
  const fail = (address: string, times = 1) => {
    for (let time = 0; time < times; time++) made.fail(address);
  };
  return { fail, forgive: made.forgive, blockedSeconds: made.blockedSeconds, pass: (ms: number) => (nowMs += ms) };
}

test('an address is blocked after a burst, and again allowed one failure with each it is forgiven', () => {
  const { fail, blockedSeconds, pass } = limiter();
  fail('192.0.2.7', 2);
  expect(blockedSeconds('192.0.2.7')).toBe(0);
  fail('192.0.2.7');
  expect(blockedSeconds('192.0.2.7')).toBe(1);
  expect(blockedSeconds('192.0.2.8')).toBe(0);
  pass(1_000);
  expect(blockedSeconds('192.0.2.7')).toBe(0);
  fail('192.0.2.7');
  expect(blockedSeconds('192.0.2.7')).toBe(1);
});

test('a failure that was none is taken back, and never more than there were', () => {
  const { fail, forgive, blockedSeconds } = limiter();
  fail('192.0.2.7', 3);
  forgive('192.0.2.7');
  expect(blockedSeconds('192.0.2.7')).toBe(0);
  for (let time = 0; time < 5; time++) forgive('192.0.2.7');
  forgive('192.0.2.8');
  fail('192.0.2.7', 3);
  expect(blockedSeconds('192.0.2.7')).toBeGreaterThan(0);
});

test('nobody is told to wait longer than a minute', () => {
  const { fail, blockedSeconds } = limiter();
  fail('192.0.2.7', 500);
  expect(blockedSeconds('192.0.2.7')).toBe(60);
});

test.each([
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
  ['2001:db8:1:2::1', '2001:0db8:0001:0002:3:4:5:6', true],
  ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ['::1', '::2', true],
  ['2001:db8::1', '2001:db8:0:0:1::', true],
  ['fe80::1%eth0', 'fe80::2%eth1', true],
  ['::ffff:192.0.2.7', '192.0.2.7', true],
  ['::ffff:192.0.2.7', '::ffff:192.0.2.8', false],
  ['64:ff9b::192.0.2.7', '64:ff9b::192.0.2.8', true],
])('of IPv6 the /64 counts, of IPv4 the address: %s and %s together: %s', (one, other, together) => {
  const { fail, blockedSeconds } = limiter();
  fail(one, 3);
  expect(blockedSeconds(other) > 0).toBe(together);
});

test('beyond its bound it forgets who failed longest ago, and nobody else', () => {
  const { fail, blockedSeconds } = limiter({ maxAddresses: 3 });
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.1']) fail(address, 3);
  fail('192.0.2.4', 3);
  const blocked = [1, 2, 3, 4].map((host) => blockedSeconds(`192.0.2.${host}`) > 0);
  expect(blocked).toEqual([true, false, true, true]);
});
