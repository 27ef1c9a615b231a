import { GatewayError } from '../../../schema/errors.ts';
import { idFromUuid } from '../../../schema/values/ids.ts';
import type { Clock } from '../../runtime/clock.ts';
import { costHeaders, identityHeaders, STREAM_HEADERS } from '../answer/answer-headers.ts';
import { errorAnswer, sendErrorAnswer } from '../answer/error-answer.ts';
import type { Exchange } from '../exchange.ts';
import type { HeldBytes } from '../held-bytes.ts';
import { boundStall } from '../relay/client-answer.ts';
import type { Books } from '../settlement/books.ts';
import type { Entropy } from '../settlement/entropy.ts';
import { localEnding } from '../settlement/settle.ts';
import type { KeptAnswer } from './answer-seals.ts';

export interface ReplayOptions {
  readonly books: Pick<Books, 'append'>;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Counts the bodies until the application took them. */
  readonly held: HeldBytes;
  readonly clientStallMs: number;
}

/** Gives a request the answer of the one before it, whose uuid is `original`. */
export type Replay = (exchange: Exchange, original: string, answer: KeptAnswer) => void;

const DECISION = 'idempotent_replay';
const FREE = costHeaders({ kind: 'rated', costPico: 0n, priceVersion: '' });

/**
 * A replay is a request of its own with one event: `cached`, at no cost, called nobody, and names the request it repeats. Its body is the same
 * to the byte; its head says whose it is and what this request cost, which is nothing.
 */
export function createReplay({ books, clock, entropy, held, clientStallMs }: ReplayOptions): Replay {
  return (exchange, original, answer) => {
    const { response } = exchange;
    const replayOf = idFromUuid('request', original);
    exchange.target = null;
    exchange.decisionReason = DECISION;
    exchange.candidates = [];
    exchange.replayOf = replayOf;
    exchange.nameSubject(entropy);
    exchange.settled = true;
    const send = (): void => {
      if (response.destroyed) return;
      held.add(answer.body.length);
      response.once('close', () => held.remove(answer.body.length));
      response.writeHead(answer.status, headersOf(exchange, replayOf, answer));
      response.end(answer.body);
      boundStall(response, clientStallMs);
    };
    const ending = localEnding('cached', answer.status, answer.errorCode, clock.monotonic() - exchange.arrivedAt);
    if (books.append(exchange, exchange.subject, ending, send)) return;
    sendErrorAnswer(exchange, errorAnswer(exchange, new GatewayError('accounting_unavailable', { retryAfterSeconds: 5 })));
  };
}

function headersOf(exchange: Exchange, replayOf: string, answer: KeptAnswer): string[] {
  const { status, contentType, model, provider, body } = answer;
  const streams = contentType.startsWith('text/event-stream');
  const headers = streams ? [...STREAM_HEADERS] : ['content-type', contentType, 'content-length', String(body.length), ...FREE];
  headers.push(...identityHeaders(exchange));
  if (provider !== null) headers.push('x-turnpike-provider', provider);
  if (model !== null) headers.push('x-turnpike-model', model, 'x-turnpike-model-id', model, 'x-litellm-model-id', model);
  headers.push('x-turnpike-idempotent-replay', 'true', 'x-turnpike-original-request-id', replayOf);
  // It would only be replayed again.
  if (status >= 400) headers.push('x-should-retry', 'false');
  if (status === 429 || status === 503) headers.push('retry-after', '1');
  return headers;
}
