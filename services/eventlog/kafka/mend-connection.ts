import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

type Connection = {
  readonly socket?: Socket;
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  isConnected(): boolean;
  connect(): Promise<boolean>;
  processData(data: Buffer): void;
};

/** Every answer begins with its length. */
const LENGTH_BYTES = 4;

/**
 * Mends the connection of kafkajs 2.2.4, which when it is opened again reads on where it was cut: the piece of an answer that had
 * come in before is taken for the beginning of the next one, what follows is decoded from the wrong place, and the RangeError
 * that ends it is thrown in a socket's listener, where it ends the process (tulios/kafkajs#715). So: nothing of the old socket is
 * kept, and an answer that cannot be read costs the connection, as a broken one does.
 * @throws when kafkajs is no longer the one this was written for.
 */
export function mendConnection(): void {
  const loaded: unknown = createRequire(import.meta.url)('kafkajs/src/network/connection.js');
  const prototype: unknown = typeof loaded === 'function' ? loaded.prototype : null;
  if (!isConnection(prototype)) throw new Error('kafkajs has another connection: see services/eventlog/kafka/mend-connection.ts');
  const { connect, processData } = prototype;
  prototype.connect = function connectAfresh(this: Connection): Promise<boolean> {
    if (!this.isConnected()) {
      this.socket?.destroy();
      this.chunks = [];
      this.bytesBuffered = 0;
      this.bytesNeeded = LENGTH_BYTES;
    }
    return connect.call(this);
  };
  prototype.processData = function processDataOrClose(this: Connection, data: Buffer): void {
    try {
      processData.call(this, data);
    } catch (error) {
      this.socket?.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

/** What only instances have is taken on the word of the pinned version. */
function isConnection(value: unknown): value is Connection {
  return (
    typeof value === 'object' &&
    value !== null &&
    'connect' in value &&
    typeof value.connect === 'function' &&
    'processData' in value &&
    typeof value.processData === 'function' &&
    'isConnected' in value &&
    typeof value.isConnected === 'function'
  );
}
