import type { IncomingHttpHeaders } from 'node:http';
import type { AnswerFacts, ProviderRefusal } from '../providers/provider.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { AnswerEvent } from './answer-event.ts';
import type { Conversation } from './conversation.ts';

/**
 * Names the fields of a request that are not carried to the provider, `logprobs`, `messages[].name`, or the parts of an answer that are not carried to
 * the application: `executableCode`. Each is told once.
 */
export type NotCarried = (field: string) => void;

/** What an answer is written with. */
export interface AnswerStamp {
  /** `req_…`; where a dialect gives its answers ids of its own, they are made of it. */
  readonly requestId: string;
  /** As the application named it. */
  readonly model: string;
  readonly createdSeconds: number;
  /** Whether a stream is to end with its usage, where the dialect leaves that to the application. */
  readonly usageAsked: boolean;
}

/** A dialect as applications speak it: chat completions, messages, responses, generateContent. */
export interface ApplicationDialect<Request> {
  /**
   * @param bytes that the request was parsed from: they have the digits of numbers that only pass through. @throws {GatewayError} `invalid_request` with
   *   `param`, for what cannot be understood; what can, but not be carried, is told to `notCarried`.
   */
  readRequest(request: Request, notCarried: NotCarried, bytes: Buffer): Conversation;
  /** The whole answer, JSON. @param request whose fields some dialects repeat in the answer. @param notCarried told what the dialect has no place for. */
  writeAnswer(events: readonly AnswerEvent[], stamp: AnswerStamp, request: Request, notCarried: NotCarried): string;
  createStreamWriter(stamp: AnswerStamp, request: Request, notCarried: NotCarried): AnswerStreamWriter;
}

/** Writes one stream. Everything it returns is whole server-sent events; '' = nothing yet. */
export interface AnswerStreamWriter {
  write(event: AnswerEvent): string;
  /** What ends a stream that is complete. */
  end(): string;
}

/** A dialect as a provider speaks it. */
export interface ProviderDialect {
  writeRequest(conversation: Conversation, target: CompiledModel, notCarried: NotCarried): ProviderRequest;
  isStream(contentType: string): boolean;
  /** Null when the bytes are no answer of this dialect. */
  readAnswer(bytes: Buffer): ReadAnswer | null;
  createStreamReader(sink: AnswerSink): AnswerStreamReader;
  readRefusal(status: number, headers: IncomingHttpHeaders, body: Buffer): ProviderRefusal;
}

export interface ProviderRequest {
  /** Below the provider's base URL, with its query. */
  readonly path: string;
  /** JSON. */
  readonly body: string;
  /** Flat, besides those that carry its credential. */
  readonly headers: readonly string[];
}

/** A whole answer, understood; `refusal` is set where an error came under status 200. */
export interface ReadAnswer {
  readonly facts: AnswerFacts;
  readonly refusal: ProviderRefusal | null;
  readonly events: readonly AnswerEvent[];
  /** What the provider said and no event can; absent: nothing. */
  readonly notCarried?: readonly string[];
}

/** Where the reader of a stream puts what it understood. Nothing comes after `completed`, `failed` or `broken`. */
export interface AnswerSink {
  event(event: AnswerEvent): void;
  /** What the provider said and no event can, by its name for it. */
  notCarried(part: string): void;
  /** The provider said that the answer is complete, and every choice is finished. */
  completed(): void;
  failed(refusal: ProviderRefusal): void;
  /** What came is no stream of this dialect. */
  broken(): void;
}

/** Reads one stream of a provider, cut anywhere. */
export interface AnswerStreamReader {
  push(chunk: Buffer): void;
  /** The connection ended in order. Reports `completed`, or says with false that the stream was not at its end. */
  end(): boolean;
  facts(): AnswerFacts;
}
