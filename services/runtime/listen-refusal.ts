import { StartRefusal } from './start-refusal.ts';

/** What a process wanted to listen on, and the variable that chooses it. */
export type ListenTarget = {
  readonly variable: string;
  readonly host: string;
  readonly port: number;
};

/**
 * Turns the error of a failed `listen` into a `StartRefusal` that names the variable to set.
 * Any other error comes back as it was, so the caller can write `throw listenRefusal(error, target)`.
 */
export function listenRefusal(error: unknown, target: ListenTarget): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const address = `${target.host}:${target.port}`;
  switch (code) {
    case 'EADDRINUSE':
      return new StartRefusal(
        `${address} is in use by another program. Set ${target.variable} to another port (0 means any free port), or end that program.`,
        { cause: error },
      );
    case 'EACCES':
      return new StartRefusal(`Listening on ${address} is not permitted. Set ${target.variable} to a port above 1023.`, {
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartRefusal(`This machine has no address ${target.host}. Set TURNPIKE_HOST to one it has.`, {
        cause: error,
      });
    default:
      return error;
  }
}
