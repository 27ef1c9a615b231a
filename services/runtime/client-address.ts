import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { createAddressList } from './address-list.ts';

/** Whose request it is, as far as an address tells; null where nothing that can be believed says so. */
export type ClientAddressOf = (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string | null;

/** Proxies one behind the other; a longer chain is believed to lead nowhere. */
const MOST_HOPS = 16;
/** Peers remembered as trusted or not; beyond it all are looked at again. */
const MOST_PEERS = 1_024;

/**
 * The address behind the proxies an operator trusts: of a connection that comes from one of them, the right-most address of
 * `X-Forwarded-For` that is not one of theirs. What stands to the left of it was written by who cannot be trusted, and is never looked at.
 * Where all are trusted it is the farthest. An entry that is no address, and a chain without end, make the client unknown: who is bound to
 * addresses is then refused. From anybody else, and with no trusted proxy, no header is believed and the connection's own address counts.
 * @param trustedProxies blocks of addresses. @throws {Error} where a text is none.
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddressOf {
  if (trustedProxies.length === 0) return ({ socket }) => socket.remoteAddress ?? null;
  const trusted = createAddressList(trustedProxies);
  const peers = new Map<string, boolean>();

  const isTrustedPeer = (peer: string): boolean => {
    const known = peers.get(peer);
    if (known !== undefined) return known;
    if (peers.size >= MOST_PEERS) peers.clear();
    const isTrusted = trusted.includes(peer);
    peers.set(peer, isTrusted);
    return isTrusted;
  };

  return ({ headers, socket }) => {
    const peer = socket.remoteAddress;
    if (peer === undefined) return null;
    const forwarded = headers['x-forwarded-for'];
    if (forwarded === undefined || !isTrustedPeer(peer)) return peer;
    // Node joins lines of one name by commas.
    const chain = String(forwarded);
    let end = chain.length;
    for (let hop = 0; hop < MOST_HOPS; hop++) {
      const comma = end === 0 ? -1 : chain.lastIndexOf(',', end - 1);
      const address = addressIn(chain.slice(comma + 1, end));
      if (address === null || comma < 0 || !trusted.includes(address)) return address;
      end = comma;
    }
    return null;
  };
}

/** `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]` and `[2001:db8::7]:4711` are what proxies write. */
function addressIn(entry: string): string | null {
  const text = entry.trim();
  if (isIP(text) !== 0) return text;
  const bare = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? '';
  return isIP(bare) === 0 ? null : bare;
}
