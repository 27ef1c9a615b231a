import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  displayVirtualKey,
  KEY_ENVIRONMENTS,
  KEY_KINDS,
  mintVirtualKey,
  parseVirtualKey,
  publicPartOf,
} from '../../../schema/values/virtual-key.ts';

const anyKind = fc.constantFrom(...KEY_KINDS);
const anyEnvironment = fc.constantFrom(...KEY_ENVIRONMENTS);

/** Random bytes from a seed: a linear congruential generator's high bytes, evenly spread enough to mint with. */
function bytesFrom(seed: number): (count: number) => Uint8Array {
  let state = seed >>> 0;
  return (count) =>
    Uint8Array.from({ length: count }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    });
}

describe('checksum vectors of reference/graphql.md section 8', () => {
  test.each([
    [`tpk_ak_test_${'0'.repeat(51)}`, 0xf3f01dee, '4Sy8A2'],
    [`tpk_sa_live_ABCDEFGH${'z'.repeat(43)}`, 0xab3a79c7, '38Phup'],
  ])('%s', (body, sum, text) => {
    expect(crc32(body)).toBe(sum);
    expect(parseVirtualKey(body + text)).not.toBeNull();
  });

  test('a key of all zeros is minted as the vector says', () => {
    expect(mintVirtualKey('ak', 'test', (count) => new Uint8Array(count))).toBe(`tpk_ak_test_${'0'.repeat(51)}4Sy8A2`);
  });
});

test('a minted key is read back, has the documented length and shows neither secret nor checksum', () => {
  fc.assert(
    fc.property(anyKind, anyEnvironment, fc.nat(), (kind, environment, seed) => {
      const key = mintVirtualKey(kind, environment, bytesFrom(seed));
      expect(key).toMatch(/^tpk_(ak|sa|pat|adm|wh)_(live|test)_[0-9A-Za-z]{57}$/);
      expect(key).toHaveLength(kind === 'pat' || kind === 'adm' ? 70 : 69);
      const face = parseVirtualKey(key);
      const body = key.slice(-57);
      expect(face).toEqual({ kind, environment, publicPart: body.slice(0, 8), lastFour: body.slice(47, 51) });
      const shown = displayVirtualKey(face!);
      expect(publicPartOf(shown)).toBe(face?.publicPart);
      expect(shown).toBe(`tpk_${kind}_${environment}_${body.slice(0, 8)}…${body.slice(47, 51)}`);
      expect(shown).not.toContain(body.slice(8, 47));
      expect(shown).not.toContain(body.slice(51));
    }),
  );
});

test('every single mistyped character is noticed', () => {
  const key = mintVirtualKey('ak', 'live', bytesFrom(7));
  for (let position = 0; position < key.length; position++) {
    const other = key.charAt(position) === 'x' ? 'y' : 'x';
    expect(parseVirtualKey(key.slice(0, position) + other + key.slice(position + 1))).toBeNull();
  }
});

test('two swapped neighbors are noticed', () => {
  const key = mintVirtualKey('sa', 'test', bytesFrom(8));
  for (let position = 12; position < key.length - 1; position++) {
    if (key[position] === key[position + 1]) continue;
    const swapped = key.slice(0, position) + key.charAt(position + 1) + key.charAt(position) + key.slice(position + 2);
    expect(parseVirtualKey(swapped)).toBeNull();
  }
});

test.each(['', 'tpk_', 'tpk_ak_nope', 'sk-proj-abc', `tpk_ak_prod_${'0'.repeat(57)}`, `tpk_ak_test_${'0'.repeat(51)}4Sy8A2\n`])(
  '%j is no key',
  (text) => {
    expect(parseVirtualKey(text)).toBeNull();
  },
);

test('garbage never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (text) => {
      expect(parseVirtualKey(text)).toBeNull();
    }),
  );
});

test('bytes that would favor some digits are rejected and drawn again', () => {
  const draws = [new Uint8Array(64).fill(248), new Uint8Array(64).fill(255), new Uint8Array(64).fill(61)];
  expect(mintVirtualKey('ak', 'live', () => draws.shift()!)).toMatch(/^tpk_ak_live_z{51}/);
});

test('a source that never gives a usable byte is an error, not an endless loop', () => {
  expect(() => mintVirtualKey('ak', 'live', (count) => new Uint8Array(count).fill(255))).toThrow(/random source/);
});
