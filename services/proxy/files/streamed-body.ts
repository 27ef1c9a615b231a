import type { ServerResponse } from 'node:http';
import type { AnswerBody } from './answer-stream.ts';

const NOTHING = Buffer.alloc(0);

/**
 * Sends a body as it comes, no faster than it is taken, but for its last piece.
 * @returns that. @throws what the body breaks with, also where the client leaves.
 */
export async function sendAllButLast(response: ServerResponse, body: AnswerBody, stallMs: number): Promise<Buffer> {
  response.on('close', () => body.destroy());
  response.setTimeout(stallMs, () => response.destroy());
  let last: Buffer = NOTHING;
  for await (const chunk of body) {
    if (last.length > 0 && !response.write(last)) await drained(response);
    last = chunk;
  }
  return last;
}

function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const goOn = (): void => {
      response.off('drain', goOn);
      response.off('close', goOn);
      resolve();
    };
    response.on('drain', goOn);
    response.on('close', goOn);
  });
}
