/** A body on its way to a provider; in pieces where one would be a copy of megabytes. */
export type SentBody = Buffer | readonly Buffer[];

/** From here on a body is large: it is not copied, and its memory is nobody else's. */
export const LARGE_BYTES = 1024 * 1024;

export function bodyLength(body: SentBody): number {
  return Buffer.isBuffer(body) ? body.length : body.reduce((sum, { length }) => sum + length, 0);
}

/** What is sent as these pieces. */
export function assembled(pieces: readonly Buffer[]): SentBody {
  return bodyLength(pieces) < LARGE_BYTES ? Buffer.concat(pieces) : pieces;
}

/** All of it in one piece. */
export function joined(body: SentBody): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.concat(body);
}
