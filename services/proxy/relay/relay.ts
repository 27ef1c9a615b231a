import type { IncomingHttpHeaders } from 'node:http';
import { gzip } from 'node:zlib';
import type { ErrorCode } from '../../../schema/errors.ts';
import { ERRORS, GatewayError } from '../../../schema/errors.ts';
import type { Attempt, Outcome } from '../../../schema/events/request-settled.v1.ts';
import { errorEnvelope } from '../../../schema/http/error-envelope.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ErrorAnswer } from '../answer/error-answer.ts';
import { errorAnswer, sendErrorAnswer } from '../answer/error-answer.ts';
import type { Exchange } from '../exchange.ts';
import type { AnswerFacts, FailureBilling, Provider, StreamError, StreamReader, StreamSink } from '../providers/provider.ts';
import type { ProxyLimits } from '../proxy-limits.ts';
import type { Books } from '../settlement/books.ts';
import type { Ending, SettledCost } from '../settlement/settle.ts';
import type { CompiledModel } from '../snapshot/compiled-snapshot.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { UpstreamCall, UpstreamReceiver } from '../upstream/upstream-call.ts';
import type { UpstreamFailureKind } from '../upstream/upstream-failure.ts';
import { costHeaders, identityHeaders, providerHeaders, timingHeaders } from './answer-headers.ts';
import { BodyCollector, decodeBody } from './body-collector.ts';
import { costOfCall } from './rating.ts';

/** What a relay needs besides its request; the same for all of them. */
export interface RelaySettings {
  readonly books: Books;
  readonly clock: Clock;
  readonly limits: ProxyLimits;
  readonly onCredentialRejected: (provider: string, status: number) => void;
  /** Told when a relay has settled and let go of its connection. */
  readonly onFinished: (relay: Relay) => void;
}

/** Everything about the one call of a relay. */
export interface RelayCall {
  readonly exchange: Exchange;
  readonly target: CompiledModel;
  readonly provider: Provider;
  readonly upstream: Upstream;
  readonly headers: string[];
  readonly body: Buffer;
  readonly usageAsked: boolean;
  readonly choices: number;
}

const CLIENT_GONE: ErrorCode = 'client_closed_request';
const KEEP_ALIVE = Buffer.from(': keep-alive\n\n');
/** An error body beyond it is no error body. */
const MAX_REFUSAL_BYTES = 1024 * 1024;
/** How long a provider may keep a connection after it said `[DONE]`. */
const LINGER_MS = 5_000;
const GZIP_LEVEL = 4;

const NO_FACTS: AnswerFacts = {
  modelAnswered: null,
  finishReason: null,
  usage: null,
  rawUsage: null,
  usageFlags: [],
  serviceTier: null,
};

const ERROR_OF_FAILURE: Readonly<Record<UpstreamFailureKind, ErrorCode>> = {
  unreachable: 'upstream_unavailable',
  connect_timeout: 'timeout',
  first_byte_timeout: 'timeout',
  idle_timeout: 'timeout',
  broken: 'upstream_error',
  aborted: 'upstream_error',
};

/**
 * Where a relay stands:
 * `opening` the spool, `calling` the provider, collecting a `whole` answer or a `refusal`, before the `first` event of a stream,
 * in the `stream`, and `over` once its settlement is decided. Whether the client is still there is another matter.
 */
type Phase = 'opening' | 'calling' | 'whole' | 'refusal' | 'first' | 'stream' | 'over';

/**
 * The story of one request from its admission to its settlement: opens it in the spool, calls the provider, brings the bytes
 * to the client while they come, and settles exactly once, whatever happens on either side. The last byte goes out only
 * after the settlement is written (invariant 2).
 */
export class Relay implements UpstreamReceiver, StreamSink {
  readonly #settings: RelaySettings;
  readonly #request: RelayCall;
  #phase: Phase = 'opening';
  #call: UpstreamCall | null = null;
  #clientGone = false;
  #reader: StreamReader | null = null;
  #collector: BodyCollector | null = null;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #dispatchedAt = 0;
  #firstByteAt: number | null = null;
  #lastByteAt = 0;
  #lastWriteAt = 0;
  #stalledSince: number | null = null;
  #goneAt = 0;
  #drainedBytes = 0;
  #overAt = 0;
  #upstreamOver = false;

  constructor(settings: RelaySettings, request: RelayCall) {
    this.#settings = settings;
    this.#request = request;
  }

  /** Begins. False when the spool takes nothing more: then nothing was done, and the caller refuses the request. */
  start(): boolean {
    const { exchange, target } = this.#request;
    const startMs = this.#now() - exchange.arrivedAt;
    const opened = this.#settings.books.open(exchange, exchange.subject, target.upstreamModel, startMs, () => this.#dispatch());
    if (!opened) return false;
    exchange.settled = true;
    exchange.response.on('close', () => this.#onClientClose());
    exchange.response.on('drain', () => this.#onDrain());
    if (exchange.response.destroyed) this.#onClientClose();
    return true;
  }

  /** Looks after what only time brings about. Called about once a second. */
  tick(): void {
    const { limits } = this.#settings;
    const now = this.#now();
    if (this.#phase === 'over') {
      if (now - this.#overAt > LINGER_MS) this.#dropUpstream();
    } else if (this.#clientGone) {
      if (now - this.#goneAt > limits.drainMaxMs) this.#cancel();
    } else if (this.#stalledSince !== null) {
      if (now - this.#stalledSince > limits.clientStallMs) this.#request.exchange.response.destroy();
    } else if (this.#phase === 'stream' && now - this.#lastWriteAt > limits.keepAliveMs) {
      this.#write(KEEP_ALIVE);
    }
  }

  /** Ends it now, because the process stops: what was not finished is settled as it stands. */
  terminate(): void {
    if (this.#phase === 'over') this.#dropUpstream();
    else if (this.#clientGone) this.#cancel();
    else this.#fail('not_ready', this.#call?.sent === true ? 'unknown' : 'free', null);
  }

  /** Whether the application got its answer and the books their entry. */
  get isOver(): boolean {
    return this.#phase === 'over';
  }

  onUpstreamHead(status: number, headers: IncomingHttpHeaders): void {
    if (this.#phase !== 'calling') return;
    this.#status = status;
    this.#headers = headers;
    if (status >= 300) {
      this.#phase = 'refusal';
      this.#collector = new BodyCollector(MAX_REFUSAL_BYTES);
    } else if (headers['content-type']?.includes('text/event-stream') === true) {
      if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
        this.#fail('upstream_error', 'unknown', null, 'The provider compressed a stream although it was asked not to.');
        return;
      }
      this.#phase = 'first';
      const { usageAsked, choices } = this.#request;
      this.#reader = this.#request.provider.createStreamReader({ usageAsked, choices }, this);
    } else {
      this.#phase = 'whole';
      this.#collector = new BodyCollector(this.#settings.limits.maxAnswerBytes);
    }
  }

  onUpstreamData(chunk: Buffer): void {
    if (this.#phase === 'over') return;
    this.#lastByteAt = this.#now();
    this.#firstByteAt ??= this.#lastByteAt;
    if (this.#clientGone) {
      this.#drainedBytes += chunk.length;
      if (this.#drainedBytes > this.#settings.limits.drainMaxBytes) {
        this.#cancel();
        return;
      }
    }
    if (this.#reader !== null) this.#reader.push(chunk);
    else if (this.#collector?.push(chunk) === false) {
      this.#fail('upstream_error', this.#billing(), null, 'The answer of the provider is larger than the gateway accepts.');
    }
  }

  onUpstreamEnd(): void {
    this.#upstreamOver = true;
    if (this.#phase === 'over') {
      this.#finish();
      return;
    }
    this.#lastByteAt = this.#now();
    if (this.#phase === 'whole' || this.#phase === 'refusal') this.#decode();
    else if (this.#reader?.end() !== true) this.#breakOff('upstream_broken_stream', 'unknown');
  }

  onUpstreamFailure(kind: UpstreamFailureKind): void {
    this.#upstreamOver = true;
    if (this.#phase === 'over') {
      this.#finish();
      return;
    }
    this.#lastByteAt = this.#now();
    if (this.#phase === 'refusal') {
      this.#decode();
      return;
    }
    // A connection that breaks after the last finish reason leaves a whole answer behind.
    if (this.#phase === 'stream' && this.#reader?.end() === true) return;
    const code = ERROR_OF_FAILURE[kind];
    this.#breakOff(
      this.#phase === 'stream' && code === 'upstream_error' ? 'upstream_broken_stream' : code,
      this.#request.provider.billingOfFailure(kind),
    );
  }

  pass(bytes: Buffer): void {
    if (this.#phase === 'first') {
      this.#phase = 'stream';
      this.#sendStreamHead();
    }
    this.#write(bytes);
  }

  completed(ending: Buffer): void {
    const facts = this.#reader?.facts() ?? NO_FACTS;
    const cost = this.#cost(facts, 'unknown');
    if (this.#phase === 'first') this.#sendStreamHead();
    this.#settle(this.#clientGone ? 'cancelled' : 'succeeded', 200, null, facts, cost, () => {
      this.#request.exchange.response.end(ending);
    });
  }

  failed(event: Buffer, error: StreamError): void {
    const facts = this.#reader?.facts() ?? NO_FACTS;
    const code = error.code ?? error.type ?? 'upstream_error';
    if (this.#phase === 'stream') {
      const cost = this.#cost(facts, 'unknown');
      this.#settle(this.#clientGone ? 'cancelled' : 'failed', 200, code, facts, cost, () => this.#request.exchange.response.end(event));
      this.#dropUpstream();
      return;
    }
    // Nothing went out yet, so the application gets the HTTP error it can act on.
    const status = error.code !== null && /^[45]\d\d$/.test(error.code) ? Number(error.code) : 502;
    this.#refuse(status, {}, Buffer.from(JSON.stringify({ error: { ...error, param: null } }), 'utf8'), facts);
    this.#dropUpstream();
  }

  broken(): void {
    this.#breakOff('upstream_broken_stream', 'unknown');
  }

  #dispatch(): void {
    if (this.#phase === 'over') return;
    const { provider, upstream, headers, body } = this.#request;
    this.#phase = 'calling';
    this.#dispatchedAt = this.#now();
    this.#call = upstream.post(provider.chatPath, headers, body, this);
  }

  #decode(): void {
    const collector = this.#collector;
    if (collector === null) return;
    const bound = this.#phase === 'refusal' ? MAX_REFUSAL_BYTES : this.#settings.limits.maxAnswerBytes;
    decodeBody(collector.bytes(), headerText(this.#headers['content-encoding']), bound, (plain) => {
      if (this.#phase === 'refusal') this.#refuse(this.#status, this.#headers, plain ?? Buffer.alloc(0), NO_FACTS);
      else if (this.#phase === 'whole') this.#answer(plain);
    });
  }

  #answer(body: Buffer | null): void {
    const facts = body === null ? null : this.#request.provider.readAnswer(body);
    if (body === null || facts === null) {
      this.#fail('upstream_error', 'unknown', null, 'The answer of the provider is not one of its protocol.');
      return;
    }
    const cost = this.#cost(facts, 'unknown');
    const overheadMs = this.#overheadMs();
    this.#settle(this.#clientGone ? 'cancelled' : 'succeeded', this.#status, null, facts, cost, () => this.#send(body, cost, overheadMs));
  }

  #send(body: Buffer, cost: SettledCost, overheadMs: number): void {
    const { response } = this.#request.exchange;
    if (response.destroyed) return;
    const headers = [
      'content-type',
      headerText(this.#headers['content-type']) ?? 'application/json',
      ...identityHeaders(this.#request.exchange.requestId),
      ...providerHeaders(this.#request.exchange),
      ...costHeaders(cost),
      ...timingHeaders(overheadMs, this.#lastByteAt - this.#dispatchedAt),
      'vary',
      'accept-encoding',
    ];
    const write = (bytes: Buffer, encoding: string | null): void => {
      if (response.destroyed) return;
      if (encoding !== null) headers.push('content-encoding', encoding);
      headers.push('content-length', String(bytes.length));
      response.writeHead(this.#status, headers);
      response.end(bytes);
    };
    if (body.length < this.#settings.limits.gzipMinBytes || !acceptsGzip(this.#request.exchange.headers)) {
      write(body, null);
      return;
    }
    gzip(body, { level: GZIP_LEVEL }, (error, compressed) => (error === null ? write(compressed, 'gzip') : write(body, null)));
  }

  #sendStreamHead(): void {
    const { exchange } = this.#request;
    const { response } = exchange;
    this.#lastWriteAt = this.#now();
    if (response.destroyed) return;
    response.writeHead(200, [
      'content-type',
      'text/event-stream; charset=utf-8',
      'cache-control',
      'no-cache',
      'x-accel-buffering',
      'no',
      ...identityHeaders(exchange.requestId),
      ...providerHeaders(exchange),
      ...timingHeaders(this.#dispatchedAt - exchange.receivedAt, this.#lastWriteAt - this.#dispatchedAt),
    ]);
  }

  #write(bytes: Buffer): void {
    const { response } = this.#request.exchange;
    if (this.#clientGone || response.destroyed) return;
    this.#lastWriteAt = this.#now();
    if (response.write(bytes) || this.#stalledSince !== null) return;
    this.#stalledSince = this.#lastWriteAt;
    this.#call?.pause();
  }

  #onDrain(): void {
    this.#stalledSince = null;
    this.#call?.resume();
  }

  #onClientClose(): void {
    if (this.#request.exchange.response.writableFinished || this.#clientGone) return;
    this.#clientGone = true;
    this.#stalledSince = null;
    if (this.#phase === 'over') return;
    this.#goneAt = this.#now();
    const drains = this.#request.upstream.provider.options.onClientGone !== 'abort';
    if (!drains || this.#call?.sent !== true) {
      this.#cancel();
      return;
    }
    this.#call.resume();
  }

  /** Settles a request whose client left, with what is known of it, and ends the call. */
  #cancel(): void {
    const facts = this.#reader?.facts() ?? NO_FACTS;
    const billing = this.#call?.sent === true ? 'unknown' : 'free';
    this.#settle('cancelled', this.#statusSent(499), CLIENT_GONE, facts, this.#cost(facts, billing), () => {
      this.#request.exchange.response.destroy();
    });
    this.#dropUpstream();
  }

  /** The provider failed us: before the first event as an HTTP error, in a stream as an error event without `[DONE]`. */
  #breakOff(code: ErrorCode, billing: FailureBilling): void {
    this.#fail(code, billing, this.#reader?.facts() ?? null);
  }

  #fail(code: ErrorCode, billing: FailureBilling, facts: AnswerFacts | null, message: string = ERRORS[code].message): void {
    const { exchange } = this.#request;
    const known = facts ?? NO_FACTS;
    const cost = this.#cost(known, billing);
    const inStream = this.#phase === 'stream';
    const status = inStream ? 200 : ERRORS[code].status;
    this.#settle(this.#clientGone ? 'cancelled' : 'failed', status, code, known, cost, () => {
      if (inStream) exchange.response.end(errorEvent(code, message, exchange.requestId));
      else this.#sendError(errorAnswer(new GatewayError(code, { message }), exchange.requestId));
    });
    this.#dropUpstream();
  }

  #refuse(status: number, headers: IncomingHttpHeaders, body: Buffer, facts: AnswerFacts): void {
    const { exchange, provider, target } = this.#request;
    const refusal = provider.readRefusal(status, headers, body, exchange.requestId);
    if (refusal.credentialRejected) this.#settings.onCredentialRejected(target.provider.name, status);
    const wanted = refusal.retryAfter ?? (refusal.status === 429 || refusal.status === 503 ? '1' : null);
    const answer: ErrorAnswer = { status: refusal.status, body: refusal.body, retryAfter: wanted, retryable: refusal.retryable };
    const outcome = this.#clientGone ? 'cancelled' : 'failed';
    const cost = this.#cost(facts, this.#billing());
    this.#settle(outcome, refusal.status, refusal.code, facts, cost, () => this.#sendError(answer));
  }

  #sendError(answer: ErrorAnswer): void {
    const { exchange } = this.#request;
    sendErrorAnswer(exchange.response, exchange.requestId, answer, providerHeaders(exchange));
  }

  #settle(outcome: Outcome, status: number, code: string | null, facts: AnswerFacts, cost: SettledCost, onWritten: () => void): void {
    if (this.#phase === 'over') return;
    const { exchange } = this.#request;
    const now = this.#now();
    const cancelled = outcome === 'cancelled';
    const errorCode = cancelled ? CLIENT_GONE : code;
    const ending: Ending = {
      outcome,
      status: cancelled ? this.#statusSent(499) : status,
      errorCode,
      finishReason: facts.finishReason,
      modelAnswered: facts.modelAnswered,
      attempts: this.#attempts(now, code),
      usage: facts.usage,
      rawUsage: facts.rawUsage,
      usageFlags: facts.usage === null && cost.kind !== 'free' && facts.usageFlags.length === 0 ? ['usage_missing'] : facts.usageFlags,
      serviceTier: facts.serviceTier,
      cost,
      firstByteMs: this.#firstByteAt === null ? null : this.#firstByteAt - exchange.arrivedAt,
      totalMs: now - exchange.arrivedAt,
      overheadMs: this.#call === null ? null : this.#overheadMs(),
    };
    this.#phase = 'over';
    this.#overAt = now;
    this.#settings.books.close(exchange, exchange.subject, ending, () => {
      onWritten();
      this.#finish();
    });
  }

  /**
   * The call, if one was made. A call that failed after it was sent and before any answer is `unknown`: whether the provider
   * worked on it, and bills it, nobody here can say (the ledger reads it so too).
   */
  #attempts(now: number, code: string | null): Attempt[] {
    const { exchange, target } = this.#request;
    const sent = this.#call?.sent === true;
    if (this.#call === null || (!sent && !this.#upstreamOver)) return [];
    const unanswered = sent && this.#status === 0;
    return [
      {
        provider: target.provider.name,
        upstreamModel: target.upstreamModel,
        startMs: roundedMs(this.#dispatchedAt - exchange.arrivedAt),
        durationMs: roundedMs(now - this.#dispatchedAt),
        status: this.#status === 0 ? null : this.#status,
        outcome: code === null ? 'succeeded' : code === CLIENT_GONE ? 'cancelled' : unanswered ? 'unknown' : 'failed',
        errorCode: code,
        providerRequestId: headerText(this.#headers['x-request-id']) ?? headerText(this.#headers['request-id']),
      },
    ];
  }

  #cost(facts: AnswerFacts, billing: FailureBilling): SettledCost {
    const { exchange, target } = this.#request;
    return costOfCall(target, exchange.admittedAtMs, facts.usage, facts.serviceTier, billing);
  }

  #billing(): FailureBilling {
    return this.#status === 0 ? 'unknown' : this.#request.provider.billingOfStatus(this.#status);
  }

  #statusSent(otherwise: number): number {
    return this.#request.exchange.response.headersSent ? this.#request.exchange.response.statusCode : otherwise;
  }

  #overheadMs(): number {
    const before = this.#dispatchedAt - this.#request.exchange.receivedAt;
    return this.#lastByteAt === 0 ? before : before + (this.#now() - this.#lastByteAt);
  }

  #dropUpstream(): void {
    this.#upstreamOver = true;
    this.#call?.abort();
    this.#finish();
  }

  #finish(): void {
    if (this.#phase === 'over' && this.#upstreamOver) this.#settings.onFinished(this);
  }

  #now(): number {
    return this.#settings.clock.monotonic();
  }
}

function roundedMs(milliseconds: number): number {
  return Math.round(Math.max(0, milliseconds) * 1_000) / 1_000;
}

function errorEvent(code: ErrorCode, message: string, requestId: string): Buffer {
  return Buffer.from(`data: ${JSON.stringify(errorEnvelope(code, message, null, {}, requestId))}\n\n`, 'utf8');
}

function headerText(value: string | string[] | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Whether a client takes gzip; `gzip;q=0` says no. */
function acceptsGzip(headers: IncomingHttpHeaders): boolean {
  const accepted = headers['accept-encoding'];
  return typeof accepted === 'string' && /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)/i.test(accepted);
}
