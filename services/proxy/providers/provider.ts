import type { IncomingHttpHeaders } from 'node:http';
import type { ChatCompletionRequest } from '../../../schema/http/chat-completions.ts';
import type { CompletionRequest } from '../../../schema/http/completions.ts';
import type { CountContentTokensRequest } from '../../../schema/http/count-content-tokens.ts';
import type { EmbedContentRequest } from '../../../schema/http/embed-content.ts';
import type { EmbeddingsRequest } from '../../../schema/http/embeddings.ts';
import type { GenerateContentRequest } from '../../../schema/http/generate-content.ts';
import type { ImageRequest } from '../../../schema/http/images.ts';
import type { CountTokensRequest, MessagesRequest } from '../../../schema/http/messages.ts';
import type { ModerationRequest } from '../../../schema/http/moderations.ts';
import type { RerankRequest } from '../../../schema/http/rerank.ts';
import type { ResponsesRequest } from '../../../schema/http/responses.ts';
import type { SpeechRequest } from '../../../schema/http/speech.ts';
import type { ProviderProtocol } from '../../../schema/values/provider-protocol.ts';
import type { TokenUsage, UnitUsage } from '../../../schema/values/token-usage.ts';
import type { SnapshotProvider } from '../../registry/snapshot.ts';
import type { ErrorWords } from '../answer/error-dialect.ts';
import type { FormRequest } from '../body/form-request.ts';
import type { ImageEditRequest } from '../body/image-edit-request.ts';
import type { LiftedMedia } from '../body/lifted-media.ts';
import type { SentBody } from '../body/sent-body.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { HttpMethod } from '../upstream/upstream.ts';
import type { UpstreamFailureKind } from '../upstream/upstream-failure.ts';

/** What an answer says about itself, whole or streamed. */
export interface AnswerFacts {
  readonly modelAnswered: string | null;
  readonly finishReason: string | null;
  /** Disjoint classes; null = the provider reported none. */
  readonly usage: TokenUsage | null;
  /** What is billed by the piece; null or absent: the provider told of none. */
  readonly units?: UnitUsage | null;
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

/** A provider's refusal, as far as it is understood: what the application is answered, in whatever dialect. */
export interface ProviderRefusal extends ErrorWords {
  /** The provider's own bytes, where they are such an error in the application's dialect already; null: they are rendered. */
  readonly body: Buffer | null;
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
  /**
   * The provider reported an error inside the stream. `event` is passed on when others went before it: the event as it came, where that is one of
   * the application's dialect; null: it is rendered.
   */
  failed(event: Buffer | null, refusal: ProviderRefusal): void;
  /** What came is no stream of this protocol (an event beyond its bound). */
  broken(): void;
}

/** Reads one stream while it passes through: it observes, and changes only what the contract says. */
export interface StreamReader {
  push(chunk: Buffer): void;
  /**
   * The connection ended. Reports `completed`, or says with false that the stream was not at its end.
   * @param inOrder false: it broke, and only what the stream itself said can tell whether it is whole.
   */
  end(inOrder: boolean): boolean;
  facts(): AnswerFacts;
}

export interface StreamExpectation {
  /** The client asked for the usage chunk; else it is taken out. */
  readonly usageAsked: boolean;
  /** Choices asked for. */
  readonly choices: number;
}

/** How certain it is that a call that reported no usage costs nothing. */
export type FailureBilling = 'free' | 'unknown';

/** What a whole answer says. */
export interface AnswerReading {
  readonly facts: AnswerFacts;
  /** The answer in the application's dialect, JSON; null: the provider's bytes are that already. */
  readonly body: Buffer | null;
  /** What it costs where it reports no usage; absent: nobody knows. */
  readonly billing?: FailureBilling;
  /** Set where an error came under status 200. */
  readonly refusal: ProviderRefusal | null;
  /** Parts of the answer that the application's dialect has no place for. They are told to the application. Absent: there are none. */
  readonly notCarried?: readonly string[];
}

/** A stream that is none of server-sent events, as it goes out. Nothing of ours may stand in it but its end. */
export interface StreamFraming {
  readonly contentType: string;
  /** An error as its last piece; null: it has no place for one, so that its connection is cut. */
  failure(words: ErrorWords): Buffer | null;
}

/** What the head of an answer says that goes out with it. */
export interface AnswerHead {
  /** Of the provider's own headers, flat. */
  readonly headers: readonly string[];
  /** null: what streams is server-sent events. */
  readonly framing: StreamFraming | null;
}

/** How the answers to one request are read, and brought into the form the application expects. */
export interface AnswerReader {
  /** Whether an answer of that type is read piece by piece. What goes out then is a stream of server-sent events. */
  isStream(contentType: string): boolean;
  /** Reads the head of an answer before anything else of it; absent: nothing of it goes out. */
  readHead?(headers: IncomingHttpHeaders): AnswerHead;
  /** Reads a whole answer; null when it is none of this protocol. @param headers it came with: some tell its usage there alone. */
  readAnswer(bytes: Buffer, headers: IncomingHttpHeaders): AnswerReading | null;
  createStreamReader(expected: StreamExpectation, sink: StreamSink): StreamReader;
  readRefusal(status: number, headers: IncomingHttpHeaders, body: Buffer): ProviderRefusal;
}

/** What is known of a request to an endpoint. */
export interface Asked<Request> {
  /** As the application sent it. */
  readonly bytes: Buffer;
  /** What was lifted out of the bytes, so that the request has marks in its place; null: nothing. Whoever writes the request anew restores it. */
  readonly media: LiftedMedia | null;
  readonly request: Request;
  /** The limit of each choice that is written into a request which sets none; null: none is. */
  readonly outputTokens: number | null;
}

export type AskedChat = Asked<ChatCompletionRequest>;

/** What an answer that has to be made may say of the request it belongs to. */
export interface CallContext {
  /** `req_…` */
  readonly requestId: string;
  /** When it was admitted. */
  readonly nowMs: number;
  /** As the application wrote it. */
  readonly modelRequested: string;
  /** Of the application's request. Which of them go to the provider, only who speaks its dialect knows. */
  readonly headers: IncomingHttpHeaders;
  /** Whether several organizations share the account that is called, so that what is kept in it is nobody's to name. */
  readonly isSharedAccount: boolean;
}

/** A call that can be made. */
export interface PreparedCall {
  /** Below the provider's base URL, with its query. */
  readonly path: string;
  /** Absent: POST. */
  readonly method?: HttpMethod;
  /** The body for the provider. */
  readonly body: SentBody;
  /** Name, value, …: what this call has besides the credential and the headers that all calls have. */
  readonly headers: readonly string[];
  /** How its answer is read. */
  readonly answers: AnswerReader;
  /** Fields of the request that the provider's dialect has no place for. They are told to the application. */
  readonly notCarried: readonly string[];
}

/** Of the calls that need none, and carry everything. */
export const NOTHING: readonly string[] = [];

/**
 * One endpoint of ours as one provider serves it: the application's dialect on this side, the provider's on the other. It changes the application's bytes
 * only where the provider needs it. @throws {GatewayError} where the provider cannot be asked for that.
 */
export type Operation<Request> = (asked: Asked<Request>, target: CompiledModel, context: CallContext) => PreparedCall;

/** The endpoints a provider may serve. One that it does not serve is not there, and refused. */
export interface Operations {
  readonly chatCompletions?: Operation<ChatCompletionRequest>;
  readonly responses?: Operation<ResponsesRequest>;
  readonly completions?: Operation<CompletionRequest>;
  readonly embeddings?: Operation<EmbeddingsRequest>;
  readonly rerank?: Operation<RerankRequest>;
  readonly messages?: Operation<MessagesRequest>;
  readonly countTokens?: Operation<CountTokensRequest>;
  readonly generateContent?: Operation<GenerateContentRequest>;
  readonly countContentTokens?: Operation<CountContentTokensRequest>;
  readonly embedContent?: Operation<EmbedContentRequest>;
  readonly moderations?: Operation<ModerationRequest>;
  readonly imageGenerations?: Operation<ImageRequest>;
  readonly imageEdits?: Operation<ImageEditRequest>;
  readonly speech?: Operation<SpeechRequest>;
  readonly transcriptions?: Operation<FormRequest>;
  readonly translations?: Operation<FormRequest>;
}

/** A usage object of a provider, read without knowing of which endpoint it is. */
export interface ReportedUsage {
  readonly usage: TokenUsage | null;
  /** What is billed by the piece; null or absent: it tells of none. */
  readonly units?: UnitUsage | null;
  /** What the price depends on besides, where the usage says it. */
  readonly serviceTier?: string | null;
  readonly flags: readonly string[];
  /** Pico-USD; null where it says nothing. */
  readonly costPico: bigint | null;
}

/** What an address of a provider asks for. */
export interface AddressedCall {
  /** The provider's own name of the model. */
  readonly model: string;
  readonly stream: boolean;
  /** What it costs where it reports no usage. */
  readonly billing: FailureBilling;
}

/** A provider that says in addresses and headers what others say in bodies: how what is passed through to it is understood. */
export interface OwnAddresses {
  /** Null for an address that is not known. @param path below the base URL, percent-encoded. */
  read(path: string): AddressedCall | null;
  /** Whether a header of that name passes, in either direction: applications ask for more by it, or are told more. */
  isOwnHeader(name: string): boolean;
  /** What the headers of an answer say of its usage, in words that {@link Provider.readUsage} takes. */
  usageIn(headers: IncomingHttpHeaders): Readonly<Record<string, unknown>>;
  /** What the headers of an answer, or an answer or event of it, say of what its price depends on. */
  tierIn(told: Readonly<Record<string, unknown>>): string | null;
  readRefusal(status: number, headers: IncomingHttpHeaders, body: Buffer): ProviderRefusal;
}

/** A provider as the proxy speaks to it: everything about its wire format is behind this. */
export interface Provider {
  readonly protocol: ProviderProtocol;
  readonly operations: Operations;
  /** Where files and batches of OpenAI's kind are below its base URL; absent: it has none. @param path such as `/files/file-1`. */
  readonly accountPath?: (path: string, provider: SnapshotProvider) => string;
  /** Reads the usage of what is passed through to it; absent where that cannot be told without knowing the endpoint: then it is unrated. */
  readonly readUsage?: (reported: Readonly<Record<string, unknown>>) => ReportedUsage;
  readonly addresses?: OwnAddresses;
  /** What a failed call costs when the provider reported no usage. */
  billingOfStatus(status: number): FailureBilling;
  billingOfFailure(kind: UpstreamFailureKind): FailureBilling;
}
