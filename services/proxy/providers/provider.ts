import type { IncomingHttpHeaders } from 'node:http';
import type { ChatCompletionRequest } from '../../../schema/http/chat-completions.ts';
import type { ProviderProtocol } from '../../../schema/values/provider-protocol.ts';
import type { TokenUsage } from '../../../schema/values/token-usage.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { UpstreamFailureKind } from '../upstream/upstream-failure.ts';

/** What an answer says about itself, whole or streamed. */
export interface AnswerFacts {
  readonly modelAnswered: string | null;
  readonly finishReason: string | null;
  /** Disjoint classes; null = the provider reported none. */
  readonly usage: TokenUsage | null;
  /** The provider's usage object to the byte; null when it sent none. */
  readonly rawUsage: string | null;
  readonly usageFlags: readonly string[];
  /** As the answer spelled it; it, not the one asked for, selects the price. */
  readonly serviceTier: string | null;
  /** Pico-USD the provider says it charges; null where it says nothing. Kept beside the cost by our prices, never instead of it. */
  readonly reportedCostPico: bigint | null;
}

/** Of an answer that told nothing yet. */
export const NO_FACTS: AnswerFacts = {
  modelAnswered: null,
  finishReason: null,
  usage: null,
  rawUsage: null,
  usageFlags: [],
  serviceTier: null,
  reportedCostPico: null,
};

/** A provider's refusal, translated: what the application is answered. */
export interface ProviderRefusal {
  readonly status: number;
  /** JSON of the error envelope; the provider's own bytes where they already are one. */
  readonly body: Buffer;
  /** Stable code for the ledger: ours or the provider's, never its text. */
  readonly code: string;
  /** Seconds the provider asks to wait, as it said it. */
  readonly retryAfter: string | null;
  /** False where the same request cannot succeed: the answer then says so to the SDKs. */
  readonly retryable: boolean;
  /** The provider refused the gateway's own credential: the operator must hear of it. */
  readonly credentialRejected: boolean;
}

/** Where a stream's reader puts what it found. */
export interface StreamSink {
  /** Bytes for the application, whole events only. Nothing is passed after {@link completed} or {@link broken}. */
  pass(bytes: Buffer): void;
  /** The answer is complete. `ending` is what still has to go out, the last of it `data: [DONE]`. */
  completed(ending: Buffer): void;
  /** The provider reported an error inside the stream. `event` is that event as it came, to be passed on when others went before it. */
  failed(event: Buffer, error: StreamError): void;
  /** What came is no stream of this protocol (an event beyond its bound). */
  broken(): void;
}

export interface StreamError {
  readonly message: string;
  readonly type: string | null;
  readonly code: string | null;
}

/** Reads one stream while it passes through: it observes, and changes only what the contract says. */
export interface StreamReader {
  push(chunk: Buffer): void;
  /** The connection ended in order. Reports `completed`, or says with false that the stream was not at its end. */
  end(): boolean;
  facts(): AnswerFacts;
}

export interface StreamExpectation {
  /** The client asked for the usage chunk; else it is taken out. */
  readonly usageAsked: boolean;
  /** Choices asked for. */
  readonly choices: number;
}

/** How certain it is that a call without an answer costs nothing. */
export type FailureBilling = 'free' | 'unknown';

/** What a whole answer says; `error` is set where an error came under status 200. */
export interface AnswerReading {
  readonly facts: AnswerFacts;
  readonly error: StreamError | null;
}

/** How the answers to one kind of request are read, and brought into the form the application expects. */
export interface AnswerReader {
  /** Reads a whole answer; null when it is none of this protocol. */
  readAnswer(bytes: Buffer): AnswerReading | null;
  createStreamReader(expected: StreamExpectation, sink: StreamSink): StreamReader;
  readRefusal(status: number, headers: IncomingHttpHeaders, body: Buffer, requestId: string): ProviderRefusal;
}

/** One endpoint of ours as one provider serves it: the application's dialect on this side, the provider's on the other. */
export interface Operation<Asked> extends AnswerReader {
  /** Below the provider's base URL, with its query. */
  path(target: CompiledModel): string;
  /** The body for the provider: the application's bytes, changed only where the provider needs it. */
  prepare(bytes: Buffer, asked: Asked, target: CompiledModel): Buffer;
}

/** What is known of a chat completion besides its bytes. */
export interface AskedChat {
  readonly request: ChatCompletionRequest;
  /** The limit of each choice that is written into a request which sets none; null: none is. */
  readonly outputTokens: number | null;
}

/** A provider as the proxy speaks to it: everything about its wire format is behind this. */
export interface Provider {
  readonly protocol: ProviderProtocol;
  readonly chatCompletions: Operation<AskedChat>;
  /** What a failed call costs when the provider reported no usage. */
  billingOfStatus(status: number): FailureBilling;
  billingOfFailure(kind: UpstreamFailureKind): FailureBilling;
}
