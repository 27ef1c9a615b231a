/** Turns the ids that a client chose for its operations into ids of our own, each used once, and back. */
export interface SocketOperationIds {
  /** A frame from the client, as the protocol is to read it. */
  readonly incoming: (text: string) => string;
  /** A frame to the client; null where it belongs to an operation that the client has completed. */
  readonly outgoing: (text: string) => string | null;
}

const ownId = /^\{"id":"(\d+)","type":"(\w+)"/;

/**
 * A client may use an id again as soon as it has completed it, but graphql-ws keys its operations by it: the end of the old
 * one would take the new one off its list, which then could neither be completed nor would end with the socket.
 * Frames that are none are passed on as they are, for the protocol to refuse.
 */
export function createSocketOperationIds(): SocketOperationIds {
  const ownByClient = new Map<string, string>();
  const clientByOwn = new Map<string, string>();
  let last = 0;

  const forget = (client: string, own: string): void => {
    ownByClient.delete(client);
    clientByOwn.delete(own);
  };

  return {
    incoming: (text) => {
      const frame = parseFrame(text);
      if (frame === null) return text;
      let own = ownByClient.get(frame.id);
      if (frame.type === 'subscribe') {
        if (own === undefined) {
          last += 1;
          own = String(last);
          ownByClient.set(frame.id, own);
          clientByOwn.set(own, frame.id);
        }
        return JSON.stringify({ ...frame, id: own });
      }
      if (frame.type !== 'complete') return text;
      // Of an unknown id the protocol takes no notice; no operation of ours is called 0.
      if (own !== undefined) forget(frame.id, own);
      return JSON.stringify({ ...frame, id: own ?? '0' });
    },
    outgoing: (text) => {
      const match = ownId.exec(text);
      if (match === null) return text;
      const [head, own = '', type = ''] = match;
      const client = clientByOwn.get(own);
      if (client === undefined) return null;
      if (type === 'complete' || type === 'error') forget(client, own);
      return `{"id":${JSON.stringify(client)},"type":"${type}"${text.slice(head.length)}`;
    },
  };
}

function parseFrame(text: string): { readonly id: string; readonly type: string } | null {
  try {
    const frame: unknown = JSON.parse(text);
    if (typeof frame !== 'object' || frame === null || !('id' in frame) || !('type' in frame)) return null;
    const { id, type } = frame;
    return typeof id === 'string' && id !== '' && typeof type === 'string' ? { ...frame, id, type } : null;
  } catch {
    return null;
  }
}
