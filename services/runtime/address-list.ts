import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** A block of addresses (RFC 4632, RFC 4291 section 2.3). */
export interface Cidr {
  readonly family: 'ipv4' | 'ipv6';
  /** The first address, as text and as a number. */
  readonly network: string;
  readonly value: bigint;
  readonly prefix: number;
}

/** Where a key may be used from. */
export interface AddressList {
  /** Whether an address lies in one of the blocks. Where it is not known, it does not. */
  includes(address: string | null): boolean;
}

const BITS = { ipv4: 32, ipv6: 128 } as const;
/** `::ffff:0:0/96`: IPv4 addresses as a socket that listens on both families tells them. */
const MAPPED = 0xffffn;

/** The block a text names, or null where it names none: an address alone is a block of one; bits beyond the prefix must be zero. */
export function parseCidr(text: string): Cidr | null {
  const [network = '', prefixText, ...more] = text.split('/');
  if (more.length > 0 || isIP(network) === 0 || network.includes('%')) return null;
  const family = isIPv4(network) ? 'ipv4' : 'ipv6';
  const bits = BITS[family];
  if (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) return null;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  if (prefix > bits) return null;
  const value = numberOf(network);
  if (BigInt.asUintN(bits - prefix, value) !== 0n) return null;
  // Such an address always arrives as IPv4 here, so the block would hold none.
  if (family === 'ipv6' && prefix >= 96 && value >> 32n === MAPPED) return null;
  return { family, network: family === 'ipv4' ? network : canonicalIpv6(network), value, prefix };
}

/** Whether every address of `inner` lies in one block of `outer`. */
export function isWithin(inner: Cidr, outer: readonly Cidr[]): boolean {
  return outer.some((block) => {
    const rest = BigInt(BITS[block.family] - block.prefix);
    return block.family === inner.family && inner.prefix >= block.prefix && inner.value >> rest === block.value >> rest;
  });
}

/** @throws {Error} where a text is no block: they are checked when they are written. */
export function createAddressList(cidrs: readonly string[]): AddressList {
  const blocks = new BlockList();
  for (const text of cidrs) {
    const cidr = parseCidr(text);
    if (cidr === null) throw new Error(`${JSON.stringify(text)} is no block of addresses`);
    blocks.addSubnet(cidr.network, cidr.prefix, cidr.family);
  }
  return {
    includes: (address) => {
      if (address === null) return false;
      if (isIPv4(address)) return blocks.check(address, 'ipv4');
      // A link-local address names its interface behind a `%`.
      const [bare = ''] = address.split('%');
      return isIPv6(bare) && blocks.check(bare, 'ipv6');
    },
  };
}

/** An IPv6 address as RFC 5952 writes it, its last 32 bits in groups as well. */
function canonicalIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function numberOf(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
  const [head = '', tail] = canonicalIpv6(address).split('::');
  const groups = (text: string): string[] => text.split(':').filter((group) => group !== '');
  const [left, right] = [groups(head), groups(tail ?? '')];
  const all = [...left, ...new Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return all.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}
