import type { GatewayError } from '../../../schema/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { HeldBytes } from '../held-bytes.ts';
import type { IncomingRequest } from '../http/incoming-request.ts';
import { createCrowd } from '../relay/crowd.ts';
import { ArrivingBody } from './arriving-body.ts';
import type { BodyCoding } from './body-coding.ts';
import { bodyCoding, isPlainJson } from './body-coding.ts';
import type { BodyLimits } from './body-limits.ts';
import { decompressBody } from './decompress-body.ts';
import { liftMedia } from './lifted-media.ts';
import { formBoundary, parseForm } from './multipart-form.ts';
import { parseIfJson, parseJsonBody } from './parse-json-body.ts';
import type { ReceivedBody } from './received-body.ts';

export interface BodyReaderOptions<C> {
  readonly limits: BodyLimits;
  /** How often the deadlines of all bodies are looked at. */
  readonly tickMs: number;
  readonly clock: Clock;
  /** Counts what is held; where it is full, bodies are refused as `overloaded`. */
  readonly held: HeldBytes;
  /** Letters and digits, which nobody can know, never twice the same. */
  readonly newMark: () => string;
  /** Told instead of a receiver that there is no body, or what the receiver threw. Must not throw. */
  readonly refuse: (context: C, error: unknown) => void;
}

/** Takes a body on. What it throws refuses the request. */
export type ReceiveBody<C> = (context: C, body: ReceivedBody) => void;

/** Reads the bodies of many requests. */
export interface BodyReader<C> {
  /**
   * Reads, decompresses and parses the JSON body of a request, then hands it on with its context. Codes of a refusal:
   * `request_too_large`, `request_timeout`, `invalid_json`, `client_closed_request`, `overloaded`, `not_ready`.
   * @throws {GatewayError} `unsupported_content_type`, before anything is read.
   */
  read(request: IncomingRequest, context: C, receive: ReceiveBody<C>): void;
  /** The same, with what is large and no text lifted out of it before it is parsed ({@link liftMedia}). @throws {GatewayError} as above. */
  readMedia(request: IncomingRequest, context: C, receive: ReceiveBody<C>): void;
  /** The same as `read` of a form, whose parts are found and not copied (`MultipartForm`), or of JSON. @throws {GatewayError} as above. */
  readForm(request: IncomingRequest, context: C, receive: ReceiveBody<C>): void;
  /** The same of a body of any kind, or none: as it came, compressed where it was, and parsed only where it says that it is JSON. Never refused for what it is. */
  readRaw(request: IncomingRequest, context: C, receive: ReceiveBody<C>): void;
  /** How many are on their way in. */
  arriving(): number;
  /** Refuses those that still arrive, and looks at no deadline any more. */
  stop(): void;
}

/** What is remembered of a request while its body arrives. */
interface Ticket<C> {
  readonly context: C;
  readonly receive: ReceiveBody<C>;
  readonly coding: BodyCoding;
  readonly parse: (bytes: Buffer) => unknown;
  readonly hasMedia?: true;
}

/** Keeps the set of bodies that arrive, and the one timer for all of their deadlines. */
export function createBodyReader<C>(options: BodyReaderOptions<C>): BodyReader<C> {
  const { limits, clock, held, newMark, refuse } = options;
  const { maxBytes, timeoutMs } = limits;
  const arriving = createCrowd<ArrivingBody<Ticket<C>>>();
  const timer = setInterval(() => {
    const now = clock.monotonic();
    for (const body of arriving.members()) if (now > body.deadline) body.expire();
  }, options.tickMs);
  timer.unref();

  const handOn = (ticket: Ticket<C>, bytes: Buffer, arrivedAt: number): void => {
    try {
      const media = ticket.hasMedia === true ? liftMedia(bytes, newMark) : null;
      ticket.receive(ticket.context, { bytes, value: ticket.parse(media?.skeleton ?? bytes), media, arrivedAt });
    } catch (error) {
      refuse(ticket.context, error);
    }
  };

  const onOver = (body: ArrivingBody<Ticket<C>>, error: GatewayError | null): void => {
    arriving.delete(body);
    const { ticket } = body;
    if (error !== null) {
      refuse(ticket.context, error);
      return;
    }
    const arrivedAt = clock.monotonic();
    if (ticket.coding === 'identity') {
      handOn(ticket, body.bytes, arrivedAt);
      body.letGo();
      return;
    }
    decompressBody(body.bytes, ticket.coding, maxBytes, (failure, plain) => {
      body.letGo();
      if (failure === null) handOn(ticket, plain, arrivedAt);
      else refuse(ticket.context, failure);
    });
  };

  const take = (request: IncomingRequest, ticket: Ticket<C>): void => {
    const announced = Number(request.headers['content-length'] ?? 0);
    const body = new ArrivingBody(ticket, clock.monotonic() + timeoutMs, maxBytes, Math.min(announced, maxBytes), held, onOver);
    arriving.add(body);
    request.flowTo(body);
  };

  const read: BodyReader<C>['read'] = (request, context, receive) =>
    take(request, { context, receive, coding: bodyCoding(request.headers), parse: parseJsonBody });

  return {
    read,
    readMedia: (request, context, receive) =>
      take(request, { context, receive, coding: bodyCoding(request.headers), parse: parseJsonBody, hasMedia: true }),
    readForm: (request, context, receive) => {
      const boundary = formBoundary(request.headers);
      if (boundary === null) read(request, context, receive);
      else take(request, { context, receive, coding: 'identity', parse: (bytes) => parseForm(bytes, boundary) });
    },
    readRaw: (request, context, receive) => {
      const parse = isPlainJson(request.headers) ? parseIfJson : unread;
      take(request, { context, receive, coding: 'identity', parse });
    },
    arriving: arriving.size,
    stop: () => {
      clearInterval(timer);
      for (const body of arriving.members()) body.abandon();
    },
  };
}

function unread(): undefined {}
