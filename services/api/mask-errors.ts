import { GraphQLError } from 'graphql';
import type { Log } from '../runtime/log.ts';
import { isTransient, sqlStateOf } from '../runtime/postgres.ts';
import type { Random } from '../runtime/random.ts';

/** Most errors of one answer. */
const mostErrors = 25;
const queryCanceled = '57014';

export type MaskErrors = (errors: readonly GraphQLError[]) => readonly GraphQLError[];

/**
 * What a client may see of errors: those that were meant for it as they are, and of all others an id that finds the cause in
 * the log. The same for HTTP, SSE and WebSocket.
 */
export function createMaskErrors(options: { readonly log: Log; readonly random: Random }): MaskErrors {
  const mask = (error: GraphQLError): GraphQLError => {
    const cause = causeOf(error);
    if (cause === null) return error;
    const place = { nodes: error.nodes ?? null, path: error.path ?? null };
    if (cause instanceof DOMException || sqlStateOf(cause) === queryCanceled) {
      return new GraphQLError('The operation took too long, or was given up.', { ...place, extensions: { code: 'TIMEOUT' } });
    }
    const errorId = options.random.bytes(8).toString('hex');
    options.log.error({ errorId, error: cause, path: error.path }, 'an operation failed');
    if (isTransient(cause)) {
      return new GraphQLError('The database cannot be reached right now.', {
        ...place,
        extensions: { code: 'SERVICE_UNAVAILABLE', errorId },
      });
    }
    return new GraphQLError('Unexpected error.', { ...place, extensions: { code: 'INTERNAL_ERROR', errorId } });
  };
  return (errors) => errors.slice(0, mostErrors).map(mask);
}

/** What lies under an error of the executor; null where it was meant for the client. */
function causeOf(error: GraphQLError): Error | null {
  let cause: Error = error;
  while (cause instanceof GraphQLError && cause.originalError !== undefined) cause = cause.originalError;
  return cause instanceof GraphQLError ? null : cause;
}
