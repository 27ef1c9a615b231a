import { GatewayError } from '../../../schema/errors.ts';
import type { Outcome } from '../../../schema/events/request-settled.v1.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { identityHeaders, providerHeaders } from '../answer/answer-headers.ts';
import { errorAnswer } from '../answer/error-answer.ts';
import { codeOf } from '../answer/error-dialect.ts';
import { sendJson } from '../answer/json-answer.ts';
import type { BudgetGate } from '../budgets/budget-gate.ts';
import type { TokenBound } from '../budgets/token-bound.ts';
import type { Refuse } from '../endpoints/served-endpoint.ts';
import type { Exchange } from '../exchange.ts';
import { givenAnswer } from '../idempotency/keyed-claim.ts';
import { CLIENT_GONE } from '../relay/call-record.ts';
import { sendProviderError } from '../relay/client-answer.ts';
import type { Books } from '../settlement/books.ts';
import type { Entropy } from '../settlement/entropy.ts';
import { localEnding } from '../settlement/settle.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { AccountAnswer } from './account-calls.ts';
import { AccountRefusal } from './account-calls.ts';
import type { AnswerBody } from './answer-stream.ts';
import { sendAllButLast } from './streamed-body.ts';

/** An answer of a provider on its way to the application. */
export interface PassedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer | AnswerBody;
}

/** A request that knows where it goes. */
export interface PreparedRequest {
  readonly target: CompiledModel;
  call(): Promise<PassedAnswer>;
}

/**
 * Requests for what is kept at providers: each is one entry, opened before the provider is called and settled before the last byte of its answer. They
 * cost nothing by themselves.
 */
export interface AccountRequests {
  /** Answers from what is known here: `find` is asked, and no provider. */
  answer(exchange: Exchange, refuse: Refuse, find: () => Promise<unknown>): void;
  /** Passes a request to a provider, once `prepare` has found out where it goes; what either throws is the application's error. */
  pass(exchange: Exchange, refuse: Refuse, prepare: () => Promise<PreparedRequest>): void;
  /** Those under way. */
  active(): number;
  /** Waits until none is under way, at most until the deadline; what is left then stays open in the spool, for the next start to settle. */
  stop(deadlineMs: number, hurry: AbortSignal): Promise<void>;
}

export interface AccountRequestsOptions {
  readonly books: Books;
  readonly gate: BudgetGate;
  readonly entropy: Entropy;
  readonly clock: Clock;
  readonly log: Log;
  /** A client that takes no byte for this long has left. */
  readonly clientStallMs: number;
}

/** Nothing is made by it that is billed. */
const NOTHING_MADE: TokenBound = { input: 0, output: 0 };
const STOP_POLL_MS = 10;

/** How a call went. @see Attempt */
interface CallEnd {
  readonly outcome: Outcome;
  readonly status: number;
  /** Of the provider; null: it did not answer. */
  readonly providerStatus: number | null;
  readonly code: string | null;
}

export function createAccountRequests({ books, gate, entropy, clock, log, clientStallMs }: AccountRequestsOptions): AccountRequests {
  let active = 0;

  /** Opens it in the books once its rate limits have counted it. @throws {GatewayError} */
  const open = (exchange: Exchange, target: CompiledModel): Promise<void> =>
    new Promise((resolve, reject) => {
      const begin = (): void => {
        exchange.nameSubject(entropy);
        const call = { upstreamModel: target.upstreamModel, startMs: clock.monotonic() - exchange.arrivedAt };
        if (!books.open(exchange, exchange.subject, call, resolve))
          throw new GatewayError('accounting_unavailable', { retryAfterSeconds: 5 });
        exchange.settled = true;
      };
      const budgets = exchange.snapshot.budgets.get(exchange.key.organizationId);
      if (budgets === undefined) return begin();
      const held = { exchange, budgets, target, outputCap: null, bodyBytes: 0, bound: () => NOTHING_MADE, isFree: true as const };
      gate.admit(held, begin, (_exchange, cause) => reject(cause));
    });

  const relay = async (exchange: Exchange, { target, call }: PreparedRequest): Promise<void> => {
    const { response } = exchange;
    const beganAt = clock.monotonic();
    const close = ({ outcome, status, providerStatus, code }: CallEnd, onWritten: () => void): void => {
      const now = clock.monotonic();
      const isGone = response.destroyed;
      const attempt = {
        provider: target.provider.name,
        upstreamModel: target.upstreamModel,
        startMs: Math.max(0, beganAt - exchange.arrivedAt),
        durationMs: Math.max(0, now - beganAt),
        status: providerStatus,
        outcome: code === null ? ('succeeded' as const) : ('failed' as const),
        errorCode: code,
        providerRequestId: null,
      };
      const told = isGone ? ({ outcome: 'cancelled', status: 499, code: CLIENT_GONE } as const) : { outcome, status, code };
      const ending = localEnding(told.outcome, told.status, told.code, now - exchange.arrivedAt);
      books.close(exchange, exchange.subject, { ...ending, attempts: [attempt] }, onWritten);
    };
    const refuse = (error: unknown): void => {
      if (error instanceof AccountRefusal) {
        const { refusal } = error;
        const { status, retryable, retryAfter } = refusal;
        const body = refusal.body ?? exchange.errors.whole(refusal, exchange.requestId);
        close({ outcome: 'failed', status, providerStatus: error.status, code: codeOf(refusal) }, () => {
          if (error.status < 500) exchange.claim?.released();
          else exchange.claim?.failed();
          sendProviderError(exchange, target, { status, body, retryAfter, retryable });
        });
        return;
      }
      const told = error instanceof GatewayError ? error : new GatewayError('internal_error', { cause: error });
      if (told.code === 'internal_error') log.error({ error, requestId: exchange.requestId }, 'a request failed by a fault of the gateway');
      const outcome = told.status < 500 ? 'rejected' : 'failed';
      close({ outcome, status: told.status, providerStatus: null, code: told.code }, () => {
        // Whether the provider did it nobody knows.
        exchange.claim?.failed();
        sendProviderError(exchange, target, errorAnswer(exchange, told));
      });
    };
    const sendHead = ({ status, contentType }: PassedAnswer, length: number | null): void => {
      if (response.destroyed) return;
      const headers = [
        'content-type',
        contentType,
        ...identityHeaders(exchange),
        ...providerHeaders(target),
        ...(exchange.limitHeaders ?? []),
      ];
      response.writeHead(status, length === null ? headers : [...headers, 'content-length', String(length)]);
    };

    let answer: PassedAnswer;
    try {
      answer = await call();
    } catch (error) {
      refuse(error);
      return;
    }
    const { status, body } = answer;
    const succeeded: CallEnd = { outcome: 'succeeded', status, providerStatus: status, code: null };
    if (Buffer.isBuffer(body)) {
      close(succeeded, () => {
        sendHead(answer, body.length);
        response.end(body);
        exchange.claim?.settled('succeeded', { kind: 'free' }, givenAnswer(exchange, null, answer.contentType, status, null, body));
      });
      return;
    }
    sendHead(answer, null);
    let last: Buffer;
    try {
      last = await sendAllButLast(response, body, clientStallMs);
    } catch (error) {
      const code = error instanceof GatewayError ? error.code : 'upstream_broken_stream';
      // What was sent must not look like the whole of it.
      close({ ...succeeded, outcome: 'failed', code }, () => response.destroy());
      return;
    }
    close(succeeded, () => response.end(last));
  };

  const run = (exchange: Exchange, refuse: Refuse, work: () => Promise<void>): void => {
    active += 1;
    void work()
      .catch((error: unknown) => {
        if (!exchange.settled) return refuse(exchange, error);
        log.error({ error, requestId: exchange.requestId }, 'a request could not be settled or answered');
        exchange.response.destroy();
      })
      .finally(() => {
        active -= 1;
      });
  };

  return {
    answer: (exchange, refuse, find) =>
      run(exchange, refuse, async () => {
        const value = await find();
        exchange.nameSubject(entropy);
        const ending = localEnding('succeeded', 200, null, clock.monotonic() - exchange.arrivedAt);
        const written = books.append(exchange, exchange.subject, ending, () => sendJson(exchange, value));
        if (!written) throw new GatewayError('accounting_unavailable', { retryAfterSeconds: 5 });
        exchange.settled = true;
      }),
    pass: (exchange, refuse, prepare) =>
      run(exchange, refuse, async () => {
        const prepared = await prepare();
        exchange.target = prepared.target;
        exchange.candidates = [prepared.target.name];
        await open(exchange, prepared.target);
        await relay(exchange, prepared);
      }),
    active: () => active,
    stop: async (deadlineMs, hurry) => {
      const end = clock.monotonic() + deadlineMs;
      while (active > 0 && clock.monotonic() < end && !hurry.aborted)
        await new Promise<void>((resolve) => setTimeout(resolve, STOP_POLL_MS));
    },
  };
}

/** An answer as it came. */
export function passed({ status, contentType, bytes }: AccountAnswer): PassedAnswer {
  return { status, contentType, body: bytes };
}
