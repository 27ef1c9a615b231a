import { eventually } from './eventually.ts';

/** A frame of graphql-transport-ws as it came. */
export interface Frame {
  readonly id?: string;
  readonly type: string;
  readonly payload?: unknown;
}

/** A raw WebSocket, so that a test can send what no client library would. */
export interface RawSocket {
  readonly frames: readonly Frame[];
  readonly send: (frame: unknown) => void;
  readonly sendText: (text: string) => void;
  /** The first frame of a type, for an operation where one is named. */
  readonly frame: (type: string, id?: string) => Promise<Frame>;
  readonly closed: () => { readonly code: number; readonly reason: string } | null;
  readonly close: () => void;
}

/** Opens a socket; with a key it is initialized and acknowledged as well. */
export async function openSocket(graphqlUrl: string, key: string | null, protocol = 'graphql-transport-ws'): Promise<RawSocket> {
  const socket = new WebSocket(graphqlUrl.replace('http', 'ws'), protocol);
  const frames: Frame[] = [];
  let closed: { code: number; reason: string } | null = null;
  let failed = false;
  socket.addEventListener('message', ({ data }) => frames.push(JSON.parse(String(data))));
  socket.addEventListener('close', ({ code, reason }) => {
    closed = { code, reason };
  });
  socket.addEventListener('error', () => {
    failed = true;
  });
  await eventually(() => socket.readyState === WebSocket.OPEN || closed !== null || failed);
  const raw: RawSocket = {
    frames,
    send: (frame) => socket.send(JSON.stringify(frame)),
    sendText: (text) => socket.send(text),
    frame: (type, id) => eventually(() => frames.find((frame) => frame.type === type && (id === undefined || frame.id === id))),
    closed: () => closed,
    close: () => socket.close(),
  };
  if (key !== null) {
    raw.send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
    await raw.frame('connection_ack');
  }
  return raw;
}
