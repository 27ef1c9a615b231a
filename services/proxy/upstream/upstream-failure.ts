import { errors } from 'undici';

/**
 * Why a call to a provider gave no whole answer.
 * - `unreachable`: no connection was made, nothing was sent;
 * - `connect_timeout`: the same, but by silence;
 * - `first_byte_timeout`, `idle_timeout`: sent, then silence;
 * - `broken`: sent, then the connection ended or what came was no HTTP.
 * A call the gateway itself ended reports nothing.
 */
export type UpstreamFailureKind = 'unreachable' | 'connect_timeout' | 'first_byte_timeout' | 'idle_timeout' | 'broken';

/** The kind of an error of undici. `sent` tells whether the request was on a connection already. */
export function upstreamFailureKind(error: Error, sent: boolean): UpstreamFailureKind {
  if (error instanceof errors.ConnectTimeoutError) return 'connect_timeout';
  if (error instanceof errors.HeadersTimeoutError) return 'first_byte_timeout';
  if (error instanceof errors.BodyTimeoutError) return 'idle_timeout';
  return sent ? 'broken' : 'unreachable';
}
