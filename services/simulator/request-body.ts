import type { IncomingMessage } from 'node:http';

const empty = Buffer.alloc(0);

/**
 * Reads a whole body and calls back once; not at all where the client leaves before its end. Above `maximumBytes` it calls back at once with
 * `too-large` and lets the rest run by, so that the client gets to read the answer.
 */
export function readBody(request: IncomingMessage, maximumBytes: number, done: (body: Buffer | 'too-large') => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  let tooLarge = false;
  request.on('data', (chunk: Buffer) => {
    if (tooLarge) return;
    length += chunk.length;
    chunks.push(chunk);
    if (length > maximumBytes) {
      tooLarge = true;
      chunks.length = 0;
      done('too-large');
    }
  });
  request.on('end', () => {
    if (tooLarge) return;
    const [only] = chunks;
    done(only === undefined ? empty : chunks.length === 1 ? only : Buffer.concat(chunks));
  });
}
