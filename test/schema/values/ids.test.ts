import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IdKind } from '../../../schema/values/ids.ts';
import { ID_PREFIXES, idFromUuid, idKind, mintId, mintUuid, uuidFromId, uuidTimeMs } from '../../../schema/values/ids.ts';

const kinds = Object.keys(ID_PREFIXES).filter((kind): kind is IdKind => kind in ID_PREFIXES);
const anyKind = fc.constantFrom(...kinds);
const anyTimeMs = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const anyEntropy = fc.uint8Array({ minLength: 10, maxLength: 16 });

/** The encoding written a second time, slowly, from the specification: 128 bits as 26 digits in base 32. */
function slowSuffix(uuid: string): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  let rest = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let text = '';
  for (let index = 0; index < 26; index++) {
    text = alphabet.charAt(Number(rest % 32n)) + text;
    rest /= 32n;
  }
  return text;
}

describe('TypeID text', () => {
  // From the specification's valid.yml (0.3).
  test.each([
    ['00000000-0000-0000-0000-000000000000', '00000000000000000000000000'],
    ['00000000-0000-0000-0000-000000000001', '00000000000000000000000001'],
    ['00000000-0000-0000-0000-00000000000a', '0000000000000000000000000a'],
    ['00000000-0000-0000-0000-000000000010', '0000000000000000000000000g'],
    ['00000000-0000-0000-0000-000000000020', '00000000000000000000000010'],
    ['ffffffff-ffff-ffff-ffff-ffffffffffff', '7zzzzzzzzzzzzzzzzzzzzzzzzz'],
    ['0110c853-1d09-52d8-d73e-1194e95b5f19', '0123456789abcdefghjkmnpqrs'],
    ['01890a5d-ac96-774b-bcce-b302099a8057', '01h455vb4pex5vsknk084sn02q'],
  ])('%s is …_%s, both ways', (uuid, suffix) => {
    expect(idFromUuid('request', uuid)).toBe(`req_${suffix}`);
    expect(uuidFromId('request', `req_${suffix}`)).toBe(uuid);
  });

  test('equals the slow encoding for every uuid and kind, and comes back', () => {
    fc.assert(
      fc.property(anyKind, fc.uuid(), (kind, uuid) => {
        const id = idFromUuid(kind, uuid);
        expect(id).toBe(`${ID_PREFIXES[kind]}_${slowSuffix(uuid)}`);
        expect(uuidFromId(kind, id)).toBe(uuid);
        expect(idKind(id)).toBe(kind);
      }),
    );
  });

  // From the specification's invalid.yml, as far as it concerns the suffix; the prefix is ours to match exactly.
  test.each([
    ['overflow', 'req_8zzzzzzzzzzzzzzzzzzzzzzzzz'],
    ['upper case', 'req_01H455VB4PEX5VSKNK084SN02Q'],
    ['the ambiguous letters i, l, o, u', 'req_01h455vb4pex5vsknk084sn0lu'],
    ['too short', 'req_01h455vb4pex5vsknk084sn02'],
    ['too long', 'req_01h455vb4pex5vsknk084sn02qq'],
    ['hyphens', 'req_01h455vb4-ex5vsknk084sn02q'],
    ['a space', 'req_01h455vb4pex5vsknk084sn02 '],
    ['another kind', 'key_01h455vb4pex5vsknk084sn02q'],
    ['no separator', 'req01h455vb4pex5vsknk084sn02qx'],
    ['empty', ''],
    ['a character beyond the plane', 'req_01h455vb4pex5vsknk084sn0𝟘'],
  ])('is refused: %s', (_why, text) => {
    expect(uuidFromId('request', text)).toBeNull();
  });

  test('garbage never throws and never becomes an id', () => {
    fc.assert(
      fc.property(anyKind, fc.string({ unit: 'binary' }), (kind, text) => {
        const uuid = uuidFromId(kind, text);
        if (uuid !== null) expect(idFromUuid(kind, uuid)).toBe(text);
        idKind(text);
      }),
    );
  });

  test('a uuid of ours that is none is a programming error', () => {
    expect(() => idFromUuid('request', 'nonsense')).toThrow(RangeError);
  });

  test('a prefix needs its separator', () => {
    expect(idKind('reqx')).toBeNull();
    expect(idKind('nope_01h455vb4pex5vsknk084sn02q')).toBeNull();
    expect(idKind('team_01h455vb4pex5vsknk084sn02q')).toBe('team');
  });
});

describe('minting', () => {
  test("gives the UUIDv7 of RFC 9562's appendix", () => {
    const entropy = Uint8Array.from([0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
    expect(mintUuid(1_645_557_742_000, entropy)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  });

  test('sets version 7 and variant 10, keeps the time, and text and uuid are the same id', () => {
    fc.assert(
      fc.property(anyKind, anyTimeMs, anyEntropy, (kind, nowMs, entropy) => {
        const uuid = mintUuid(nowMs, entropy);
        expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(uuidTimeMs(uuid)).toBe(nowMs);
        expect(mintId(kind, nowMs, entropy)).toBe(idFromUuid(kind, uuid));
      }),
    );
  });

  test('ids sort by time, as text and as uuid', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyTimeMs, { minLength: 2, maxLength: 2 }), anyEntropy, anyEntropy, (times, one, other) => {
        const [early = 0, late = 0] = times.toSorted((left, right) => left - right);
        expect(mintId('request', early, one) < mintId('request', late, other)).toBe(true);
        expect(mintUuid(early, one) < mintUuid(late, other)).toBe(true);
      }),
    );
  });

  test('each of the 74 random bits reaches the id', () => {
    const zero = mintUuid(0, new Uint8Array(10));
    const seen = new Set([zero]);
    for (let bit = 0; bit < 80; bit++) {
      const entropy = new Uint8Array(10);
      entropy[bit >> 3] = 1 << (bit & 7);
      seen.add(mintUuid(0, entropy));
    }
    expect(seen.size).toBe(1 + 74);
  });

  test('refuses what would make a poor id', () => {
    expect(() => mintId('request', 0, new Uint8Array(9))).toThrow(RangeError);
    for (const nowMs of [-1, 2 ** 48, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => mintUuid(nowMs, new Uint8Array(10))).toThrow(RangeError);
    }
    expect(uuidTimeMs(mintUuid(12.9, new Uint8Array(10)))).toBe(12);
  });
});
