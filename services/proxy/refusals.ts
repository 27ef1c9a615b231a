import type { ServerResponse } from 'node:http';
import { GatewayError } from '../../schema/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Addressee } from './answer/addressee.ts';
import { providerHeaders } from './answer/answer-headers.ts';
import { errorAnswer, sendErrorAnswer } from './answer/error-answer.ts';
import { budgetWarningHeaders } from './budgets/budget-warning.ts';
import type { Exchange } from './exchange.ts';
import type { Books } from './settlement/books.ts';
import type { Entropy } from './settlement/entropy.ts';
import { localEnding } from './settlement/settle.ts';

export interface RefusalsOptions {
  readonly books: Books;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Counts a request that was refused without an event, by code. */
  readonly onUnauthenticated: (code: string) => void;
}

/** The ways a request ends before any provider was called. None of them throws. */
export interface Refusals {
  /** Of somebody unknown: an answer and no event. */
  unknownCaller(caller: Addressee, cause: unknown): void;
  /** Of an authenticated request: its event, then its answer. Nothing happens when somebody else settles it already. */
  refuse(exchange: Exchange, cause: unknown): void;
}

const CLOSE = ['connection', 'close'] as const;

/** Answers in the catalogue's words whatever was thrown; what is not of the catalogue is a fault of ours, and logged. */
export function createRefusals(options: RefusalsOptions): Refusals {
  const { books, clock, entropy, log } = options;

  const errorOf = (cause: unknown, requestId: string): GatewayError => {
    const error = cause instanceof GatewayError ? cause : new GatewayError('internal_error', { cause });
    if (error.code === 'internal_error') log.error({ error: cause, requestId }, 'a request failed by a fault of the gateway');
    return error;
  };

  const settle = (exchange: Exchange, error: GatewayError): void => {
    const { status } = error;
    const outcome = error.code === 'client_closed_request' ? 'cancelled' : status < 500 ? 'rejected' : 'failed';
    const send = (answer: GatewayError): void =>
      sendErrorAnswer(exchange, errorAnswer(exchange, answer), [
        ...(exchange.target === null ? [] : providerHeaders(exchange.target)),
        ...budgetWarningHeaders(exchange),
        ...(exchange.limitHeaders ?? []),
        ...(mustClose(answer) ? CLOSE : []),
      ]);
    exchange.settled = true;
    // No provider was called: whoever repeats it may be served.
    exchange.claim?.released();
    exchange.nameSubject(entropy);
    const ending = localEnding(outcome, status, error.code, clock.monotonic() - exchange.arrivedAt);
    if (!books.append(exchange, exchange.subject, ending, () => send(error)))
      send(new GatewayError('accounting_unavailable', { retryAfterSeconds: 5 }));
  };

  return {
    unknownCaller: (caller, cause) => {
      const error = errorOf(cause, caller.requestId);
      options.onUnauthenticated(error.code);
      sendErrorAnswer(caller, errorAnswer(caller, error), mayKeep(caller.response, error) ? [] : CLOSE);
    },
    refuse: (exchange, cause) => {
      const error = errorOf(cause, exchange.requestId);
      if (exchange.settled) return;
      try {
        settle(exchange, error);
      } catch (fault) {
        log.error({ error: fault, requestId: exchange.requestId }, 'a request could not be settled or answered');
        exchange.response.destroy();
      }
    },
  };
}

/** A body that small is thrown away sooner than a new connection is made, and making those is what an overload has no time for. */
const SMALL_BODY_BYTES = 16 * 1024;

function mayKeep(response: ServerResponse, error: GatewayError): boolean {
  if (error.code !== 'overloaded') return false;
  const { 'content-length': length, 'transfer-encoding': coding } = response.req.headers;
  return coding === undefined && Number(length ?? 0) <= SMALL_BODY_BYTES;
}

/** Errors after which bytes of the request may still be under way. */
function mustClose(error: GatewayError): boolean {
  switch (error.code) {
    case 'request_too_large':
    case 'request_timeout':
    case 'unsupported_content_type':
    case 'not_ready':
      return true;
    default:
      return false;
  }
}
