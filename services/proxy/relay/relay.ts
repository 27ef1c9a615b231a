import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { ErrorCode } from '../../../schema/errors.ts';
import { ERRORS, GatewayError } from '../../../schema/errors.ts';
import type { Outcome } from '../../../schema/events/request-settled.v1.ts';
import { STREAM_CONTENT_TYPE } from '../answer/answer-headers.ts';
import { errorAnswer } from '../answer/error-answer.ts';
import type { ErrorWords } from '../answer/error-dialect.ts';
import { codeOf, wordsOf } from '../answer/error-dialect.ts';
import { answerNotCarriedWarning, warn } from '../answer/warnings.ts';
import { bodyLength, joined } from '../body/sent-body.ts';
import { HeldShare } from '../held-bytes.ts';
import { givenAnswer } from '../idempotency/keyed-claim.ts';
import type { AnswerFacts, AnswerHead, FailureBilling, ProviderRefusal, StreamReader, StreamSink } from '../providers/provider.ts';
import { NO_FACTS, NOTHING } from '../providers/provider.ts';
import type { SettledCost } from '../settlement/settle.ts';
import type { UpstreamCall, UpstreamReceiver } from '../upstream/upstream-call.ts';
import type { UpstreamFailureKind } from '../upstream/upstream-failure.ts';
import { BodyCollector } from './body-collector.ts';
import { CallRecord, CLIENT_GONE } from './call-record.ts';
import { boundStall, sendProviderError, sendStreamHead, sendWholeAnswer, statusSent } from './client-answer.ts';
import { ClientSide } from './client-side.ts';
import type { CrowdMember } from './crowd.ts';
import { ERROR_OF_FAILURE } from './failure-words.ts';
import { costOfCall } from './rating.ts';
import type { RelayCall, RelaySettings } from './relay-call.ts';

const KEEP_ALIVE = Buffer.from(': keep-alive\n\n');
/** An error body beyond it is no error body. */
const MAX_REFUSAL_BYTES = 1024 * 1024;
const TRANSLATED_CONTENT_TYPE = 'application/json';
/** How long a provider may keep a connection after it said `[DONE]`. */
const LINGER_MS = 5_000;

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
export class Relay implements UpstreamReceiver, StreamSink, CrowdMember {
  crowdPosition = -1;
  readonly #settings: RelaySettings;
  readonly #request: RelayCall;
  readonly #record: CallRecord;
  readonly #client: ClientSide;
  readonly #held: HeldShare;
  readonly #onFinished: (relay: Relay) => void;
  #phase: Phase = 'opening';
  #call: UpstreamCall | null = null;
  #upstreamOver = false;
  #headers: IncomingHttpHeaders = {};
  #head = PLAIN_HEAD;
  /** Of a whole answer, as the application gets it. */
  #contentType: string | undefined;
  #reader: StreamReader | null = null;
  #collector: BodyCollector | null = null;
  #overAt = 0;

  /** @param onFinished told when it has settled and let go of its connection. */
  constructor(settings: RelaySettings, request: RelayCall, onFinished: (relay: Relay) => void) {
    this.#settings = settings;
    this.#request = request;
    this.#onFinished = onFinished;
    this.#record = new CallRecord(request.exchange, request.target);
    this.#client = new ClientSide(request.exchange.response);
    this.#held = new HeldShare(settings.held);
  }

  /** Begins. False when the spool takes nothing more: then nothing was done, and the caller refuses the request. */
  start(): boolean {
    const { exchange, target } = this.#request;
    const call = { upstreamModel: target.upstreamModel, startMs: this.#now() - exchange.arrivedAt };
    if (!this.#settings.books.open(exchange, exchange.subject, call, () => this.#dispatch())) return false;
    exchange.settled = true;
    this.#held.add(bodyLength(this.#request.prepared.body));
    exchange.response.on('close', () => this.#onClientClose());
    exchange.response.on('drain', () => this.#onClientDrain());
    if (exchange.response.destroyed) this.#onClientClose();
    return true;
  }

  /** Looks after what only time brings about. Called about once a second. */
  tick(): void {
    const { limits } = this.#settings;
    const now = this.#now();
    const stalledMs = this.#client.stalledForMs(now);
    if (this.#phase === 'over') {
      if (now - this.#overAt > LINGER_MS) this.#dropUpstream();
    } else if (this.#client.isGone) {
      if (this.#client.goneForMs(now) > limits.drainMaxMs) this.#cancel();
    } else if (this.#isLate(now)) {
      this.#fail('timeout', this.#call?.sent === true ? 'unknown' : 'free', 'The request took longer than it said it may.');
    } else if (stalledMs !== null) {
      if (stalledMs > limits.clientStallMs) this.#request.exchange.response.destroy();
    } else if (this.#phase === 'stream' && this.#head.framing === null && this.#client.quietForMs(now) > limits.keepAliveMs) {
      this.#write(KEEP_ALIVE);
    }
  }

  /** Whether it takes longer than the application said it may. */
  #isLate(now: number): boolean {
    const { endBy, beginStreamBy, stream } = this.#request.exchange;
    return now > endBy || (stream && this.#phase !== 'stream' && now > beginStreamBy);
  }

  /** Lets no other request follow on the client's connection: the process is about to stop. */
  closeAfterAnswer(): void {
    this.#request.exchange.response.shouldKeepAlive = false;
  }

  /** Ends it now, because the process stops: what was not finished is settled as it stands. */
  terminate(): void {
    if (this.#phase === 'over') this.#dropUpstream();
    else if (this.#client.isGone) this.#cancel();
    else this.#fail('not_ready', this.#call?.sent === true ? 'unknown' : 'free');
  }

  /** Whether the application got its answer and the books their entry. */
  get isOver(): boolean {
    return this.#phase === 'over';
  }

  /** Whether it only reads on for the usage of an answer nobody takes any more. */
  get isDraining(): boolean {
    return this.#client.isGone && this.#phase !== 'over';
  }

  onUpstreamHead(status: number, headers: IncomingHttpHeaders): void {
    if (this.#phase !== 'calling') return;
    this.#record.answered(status, headers);
    this.#headers = headers;
    this.#contentType = headers['content-type'];
    this.#head = this.#request.prepared.answers.readHead?.(headers) ?? PLAIN_HEAD;
    if (status >= 300) {
      this.#phase = 'refusal';
      this.#collector = new BodyCollector(MAX_REFUSAL_BYTES);
    } else if (!this.#request.prepared.answers.isStream(headers['content-type'] ?? '')) {
      this.#phase = 'whole';
      this.#collector = new BodyCollector(this.#settings.limits.maxAnswerBytes);
    } else if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
      this.#fail('upstream_error', 'unknown', 'The provider compressed a stream although it was asked not to.');
    } else {
      this.#phase = 'first';
      const { usageAsked, choices, prepared } = this.#request;
      this.#reader = prepared.answers.createStreamReader({ usageAsked, choices }, this);
    }
  }

  onUpstreamData(chunk: Buffer): void {
    if (this.#phase === 'over') return;
    this.#record.received(this.#now());
    if (this.#client.isGone && !this.#client.drain(chunk.length, this.#settings.limits.drainMaxBytes)) {
      this.#cancel();
      return;
    }
    if (this.#reader !== null) {
      this.#reader.push(chunk);
      return;
    }
    this.#held.add(chunk.length);
    if (this.#collector?.push(chunk) === false) {
      this.#fail('upstream_error', this.#billing(), 'The answer of the provider is larger than the gateway accepts.');
    }
  }

  onUpstreamEnd(): void {
    this.#upstreamOver = true;
    if (this.#phase === 'over') this.#finish();
    else if (this.#phase === 'whole' || this.#phase === 'refusal') this.#decode();
    else if (this.#reader?.end(true) !== true) this.#fail('upstream_broken_stream', 'unknown');
  }

  onUpstreamFailure(kind: UpstreamFailureKind): void {
    this.#upstreamOver = true;
    if (this.#phase === 'over') this.#finish();
    else if (this.#phase === 'refusal') this.#decode();
    // A connection that breaks after the last finish reason leaves a whole answer behind.
    else if (this.#phase !== 'stream' || this.#reader?.end(false) !== true) {
      const code = this.#phase === 'stream' && kind === 'broken' ? 'upstream_broken_stream' : ERROR_OF_FAILURE[kind];
      this.#fail(code, this.#request.provider.billingOfFailure(kind));
    }
  }

  pass(bytes: Buffer): void {
    if (this.#phase === 'first') {
      this.#openStream();
      this.#phase = 'stream';
    }
    this.#request.exchange.claim?.streamed(bytes);
    this.#write(bytes);
  }

  completed(ending: Buffer): void {
    if (this.#phase === 'first') this.#openStream();
    const facts = this.#facts();
    this.#settle('succeeded', 200, null, facts, this.#cost(facts, 'unknown'), ending, () => this.#request.exchange.response.end(ending));
  }

  failed(event: Buffer | null, refusal: ProviderRefusal): void {
    const facts = this.#facts();
    if (this.#phase === 'stream') {
      const { response } = this.#request.exchange;
      const last = event ?? this.#lastEvent(refusal);
      this.#settle('failed', 200, codeOf(refusal), facts, this.#cost(facts, 'unknown'), last, () => endOrCut(response, last));
    } else {
      // Nothing went out yet, so the application gets the HTTP error it can act on.
      this.#refuse(refusal, facts);
    }
    this.#dropUpstream();
  }

  broken(): void {
    this.#fail('upstream_broken_stream', 'unknown');
  }

  #dispatch(): void {
    if (this.#phase === 'over') return;
    const { prepared, headers, sign } = this.#request;
    if (sign === null) {
      this.#send(headers);
      return;
    }
    sign(prepared.method ?? 'POST', prepared.path, headers, joined(prepared.body))
      .then(
        (signature) => this.#send([...headers, ...signature]),
        () => this.#fail('upstream_credentials_rejected', 'free'),
      )
      .catch((error: unknown) => this.#fault(error));
  }

  #send(headers: string[]): void {
    if (this.#phase === 'over') return;
    const { upstream, prepared } = this.#request;
    this.#phase = 'calling';
    this.#record.dispatchedAt = this.#now();
    this.#call = upstream.send(prepared.method ?? 'POST', prepared.path, headers, prepared.body, this);
  }

  #decode(): void {
    this.#collector?.plain(this.#headers['content-encoding'], this.#settings.limits.maxAnswerBytes, (plain) => {
      const { answers } = this.#request.prepared;
      if (this.#phase === 'refusal') this.#refuse(answers.readRefusal(this.#record.status, this.#headers, plain ?? NO_BYTES), NO_FACTS);
      else if (this.#phase === 'whole') this.#answer(plain);
    });
  }

  #answer(plain: Buffer | null): void {
    const { exchange, target, prepared } = this.#request;
    const reading = plain === null ? null : prepared.answers.readAnswer(plain, this.#headers);
    if (plain === null || reading === null) {
      this.#fail('upstream_error', 'unknown', 'The answer of the provider is not one of its protocol.');
      return;
    }
    const { facts, refusal } = reading;
    if (refusal !== null) {
      this.#refuse(refusal, facts);
      return;
    }
    const { notCarried = NOTHING } = reading;
    if (notCarried.length > 0) warn(exchange, answerNotCarriedWarning(notCarried));
    if (reading.body !== null) {
      this.#held.add(reading.body.length);
      this.#contentType = TRANSLATED_CONTENT_TYPE;
    }
    const body = reading.body ?? plain;
    const cost = this.#cost(facts, reading.billing ?? 'unknown');
    const { status } = this.#record;
    const overheadMs = this.#record.overheadMs(this.#now());
    this.#settle('succeeded', status, null, facts, cost, body, () =>
      sendWholeAnswer(exchange, target, {
        status,
        contentType: this.#contentType ?? TRANSLATED_CONTENT_TYPE,
        body,
        cost,
        overheadMs,
        upstreamMs: this.#record.upstreamMs(),
        gzipMinBytes: this.#settings.limits.gzipMinBytes,
        stallMs: this.#settings.limits.clientStallMs,
        headers: this.#head.headers,
      }),
    );
  }

  /** An error that ends a stream; null: it has no place for one. */
  #lastEvent(words: ErrorWords): Buffer | null {
    const { errors, requestId } = this.#request.exchange;
    const { framing } = this.#head;
    return framing === null ? errors.event(words, requestId) : framing.failure(words);
  }

  #openStream(): void {
    const { exchange, target } = this.#request;
    const { dispatchedAt, lastByteAt } = this.#record;
    sendStreamHead(exchange, target, dispatchedAt - exchange.receivedAt, lastByteAt - dispatchedAt, this.#head);
  }

  #write(bytes: Buffer): void {
    if (!this.#client.write(bytes, this.#now())) this.#call?.pause();
  }

  #onClientDrain(): void {
    this.#client.caughtUp();
    this.#call?.resume();
  }

  #onClientClose(): void {
    const hasLeft = this.#client.close(this.#now());
    this.#letGo();
    if (!hasLeft || this.#phase === 'over') return;
    const drains = this.#request.upstream.provider.options.onClientGone !== 'abort';
    if (drains && this.#call?.sent === true) this.#call.resume();
    else this.#cancel();
  }

  /** Settles a request whose client left, with what is known of it, and ends the call. */
  #cancel(): void {
    const facts = this.#facts();
    const cost = this.#cost(facts, this.#call?.sent === true ? 'unknown' : 'free');
    this.#settle('cancelled', 0, CLIENT_GONE, facts, cost, null, () => this.#request.exchange.response.destroy());
    this.#dropUpstream();
  }

  /** The provider failed us, or we it: before the first event as an HTTP error, in a stream as an error event without `[DONE]`. */
  #fail(code: ErrorCode, billing: FailureBilling, message: string = ERRORS[code].message): void {
    const { exchange, target } = this.#request;
    const facts = this.#facts();
    const cost = this.#cost(facts, billing);
    if (this.#phase === 'stream') {
      const event = this.#lastEvent(wordsOf(new GatewayError(code, { message })));
      this.#settle('failed', 200, code, facts, cost, event, () => endOrCut(exchange.response, event));
    } else {
      const answer = errorAnswer(exchange, new GatewayError(code, { message }));
      this.#settle('failed', answer.status, code, facts, cost, answer.body, () => sendProviderError(exchange, target, answer));
    }
    this.#dropUpstream();
  }

  #refuse(refusal: ProviderRefusal, facts: AnswerFacts): void {
    const { exchange, target } = this.#request;
    const { status, retryable } = refusal;
    if (refusal.credentialRejected) this.#settings.onCredentialRejected(target.provider.name, this.#record.status);
    const body = refusal.body ?? exchange.errors.whole(refusal, exchange.requestId);
    const retryAfter = refusal.retryAfter ?? (status === 429 || status === 503 ? '1' : null);
    this.#settle('failed', status, codeOf(refusal), facts, this.#cost(facts, this.#billing()), body, () =>
      sendProviderError(exchange, target, { status, body, retryAfter, retryable }, refusal.body === null ? NOTHING : this.#head.headers),
    );
  }

  /**
   * Puts it into the books, once. With the client gone it is `cancelled`, whatever else happened.
   * @param last what ends the answer, or is all of it; null = the answer is not whole.
   */
  #settle(
    outcome: Outcome,
    status: number,
    code: string | null,
    facts: AnswerFacts,
    cost: SettledCost,
    last: Buffer | null,
    onWritten: () => void,
  ): void {
    if (this.#phase === 'over') return;
    const { exchange } = this.#request;
    const streams = this.#reader !== null && (this.#phase === 'stream' || outcome === 'succeeded');
    const streamType = streams ? (this.#head.framing?.contentType ?? STREAM_CONTENT_TYPE) : null;
    const cancelled = this.#client.isGone || outcome === 'cancelled';
    const now = this.#now();
    if (this.#phase === 'opening') this.#request.upstream.release();
    const made = this.#call === null ? 'none' : this.#call.sent ? 'sent' : this.#upstreamOver ? 'not_sent' : 'none';
    const end = {
      outcome: cancelled ? ('cancelled' as const) : outcome,
      status: cancelled ? statusSent(exchange.response, ERRORS[CLIENT_GONE].status) : status,
      code,
      facts,
      cost,
    };
    this.#phase = 'over';
    this.#overAt = now;
    const written = (): void => {
      try {
        onWritten();
        boundStall(exchange.response, this.#settings.limits.clientStallMs);
      } catch (error) {
        this.#fault(error);
      }
      exchange.claim?.settled(outcome, cost, givenAnswer(exchange, streamType, this.#contentType, status, code, last));
      this.#finish();
    };
    try {
      this.#settings.books.close(exchange, exchange.subject, this.#record.ending(end, now, made), written);
    } catch (error) {
      // The request stays open in the spool, and the next start books it as orphaned: never zero times.
      this.#fault(error);
      exchange.claim?.failed();
    }
  }

  #fault(error: unknown): void {
    this.#settings.onFault(error, this.#request.exchange.requestId);
    this.#request.exchange.response.destroy();
  }

  #facts(): AnswerFacts {
    return this.#reader?.facts() ?? NO_FACTS;
  }

  #cost(facts: AnswerFacts, billing: FailureBilling): SettledCost {
    const { exchange, target } = this.#request;
    return costOfCall(target, exchange.admittedAtMs, facts, billing);
  }

  #billing(): FailureBilling {
    return this.#request.provider.billingOfStatus(this.#record.status);
  }

  #dropUpstream(): void {
    this.#upstreamOver = true;
    this.#call?.abort();
    this.#finish();
  }

  #finish(): void {
    if (this.#phase !== 'over' || !this.#upstreamOver) return;
    this.#onFinished(this);
    this.#letGo();
  }

  /** A whole answer is in memory until the application took it, however long after its call that is. */
  #letGo(): void {
    if (this.#phase === 'over' && this.#upstreamOver && this.#client.isClosed) this.#held.release();
  }

  #now(): number {
    return this.#settings.clock.monotonic();
  }
}

/** A stream that broke off must not look like one that is whole: where that cannot be said in it, its connection ends too early. */
function endOrCut(response: ServerResponse, last: Buffer | null): void {
  if (last === null) response.destroy();
  else response.end(last);
}

/** Of answers whose head says nothing more. */
const PLAIN_HEAD: AnswerHead = { headers: NOTHING, framing: null };
const NO_BYTES = Buffer.alloc(0);
