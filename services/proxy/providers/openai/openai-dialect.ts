import type { ChatCompletionRequest } from '../../../../schema/http/chat-completions.ts';
import type { EmbeddingsRequest } from '../../../../schema/http/embeddings.ts';
import type { ResponsesRequest } from '../../../../schema/http/responses.ts';
import type { SpeechRequest } from '../../../../schema/http/speech.ts';
import type { ProviderProtocol } from '../../../../schema/values/provider-protocol.ts';
import type { FormRequest } from '../../body/form-request.ts';
import type { ImageEditRequest } from '../../body/image-edit-request.ts';
import type { MultipartForm } from '../../body/multipart-form.ts';
import type { SentBody } from '../../body/sent-body.ts';
import { bridged } from '../../conversation/bridge.ts';
import { withBase64Vectors } from '../../dialects/embeddings/base64-vectors.ts';
import { generateContentDialect } from '../../dialects/generate-content/generate-content-dialect.ts';
import { messagesDialect } from '../../dialects/messages/messages-dialect.ts';
import { responsesDialect } from '../../dialects/responses/responses-dialect.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import { keptRefusal, refuseKeptFiles } from '../kept-files.ts';
import type { AnswerReader, AnswerReading, Asked, Operation, Operations, PreparedCall, Provider } from '../provider.ts';
import { NOTHING } from '../provider.ts';
import { wholeAnswers } from '../whole-answers.ts';
import { BILLING_OF_FAILURE, billingOfStatus } from './billing.ts';
import { readRefusal } from './failure.ts';
import { prepareForm } from './media/form-call.ts';
import { readImages, readSound } from './media/media-answer.ts';
import { MediaStreamReader } from './media/media-stream.ts';
import { soundStreamAnswers } from './media/sound-stream.ts';
import { withModel } from './model-in-body.ts';
import { prepareModeration, readModeration } from './moderations.ts';
import type { Reading } from './reading.ts';
import { PLAIN_READING } from './reading.ts';
import { readReportedUsage } from './reported-usage.ts';
import { prepareCompletion, prepareChat as prepareOpenaiChat } from './request.ts';
import { readRerank } from './rerank.ts';
import { readChatAnswer } from './response.ts';
import { refuseKeptReference } from './responses/kept-references.ts';
import { prepareResponse } from './responses/request.ts';
import { readResponse } from './responses/response.ts';
import { ResponseStreamReader } from './responses/stream.ts';
import { servesResponses } from './serves-responses.ts';
import { ChatStreamReader, COMPLETION_CHUNKS } from './stream.ts';
import { chatProviderDialect } from './translated/chat-provider-dialect.ts';
import { HABITS } from './translated/habits-of-protocols.ts';
import { readWholeAnswer } from './whole-answer.ts';

/** Sound has a type of its own, by the format that is asked for. */
const ANYTHING = ['accept', '*/*'];
const IMAGES_EDITS = '/images/edits';
const SPEECH = '/audio/speech';

type PrepareBody<Request> = (asked: Asked<Request>, target: CompiledModel) => SentBody;

/** In what a provider that speaks OpenAI's dialect differs from it; what is left out is as OpenAI has it. */
export interface Peculiarities extends Partial<Reading> {
  /** What it serves besides chat completions; nothing. Responses that it does not serve are translated into those. */
  readonly serves?: readonly Exclude<keyof Operations, 'chatCompletions'>[];
  /** Where its files and batches are found below the base URL; absent: it has none of OpenAI's kind. */
  readonly accountPath?: Provider['accountPath'];
  /** Where an endpoint is found below the base URL. */
  readonly path?: (endpoint: string, target: CompiledModel) => string;
  /** The bodies for its endpoints. */
  readonly prepareChat?: PrepareBody<ChatCompletionRequest>;
  readonly prepareEmbeddings?: PrepareBody<EmbeddingsRequest>;
  /** Members that its body for embeddings leaves out. */
  readonly lostOnEmbeddings?: readonly (keyof EmbeddingsRequest)[];
}

/** Where OpenAI itself has it. */
export const sameEndpoint = (endpoint: string): string => endpoint;
/** The body as the application sent it, by the provider's name of the model. */
const prepareModel = ({ bytes }: Asked<unknown>, { upstreamModel }: CompiledModel): SentBody => withModel(bytes, upstreamModel);

/** A provider that speaks OpenAI's dialect: the reading of it stands here once, each provider adds what it does in another way. */
export function openaiDialect(protocol: ProviderProtocol, peculiarities: Peculiarities = {}): Provider {
  const { serves = [], path = sameEndpoint, prepareChat = prepareOpenaiChat, prepareEmbeddings = prepareModel } = peculiarities;
  const { lostOnEmbeddings = [] } = peculiarities;
  const { readCost = PLAIN_READING.readCost, meaningOf = PLAIN_READING.meaningOf } = peculiarities;
  const reading: Reading = { readCost, meaningOf };

  const operation = <Request>(
    endpoint: string,
    prepare: PrepareBody<Request>,
    answers: AnswerReader,
    headers: readonly string[] = NOTHING,
  ): Operation<Request> => {
    return (asked, target) => ({
      path: path(endpoint, target),
      body: prepare(asked, target),
      headers,
      answers,
      notCarried: NOTHING,
    });
  };
  const chatAnswers: AnswerReader = {
    isStream: (contentType) => contentType.includes('text/event-stream'),
    readAnswer: (bytes) => readChatAnswer(bytes, reading),
    createStreamReader: (expected, sink) => new ChatStreamReader(expected, sink, reading),
    readRefusal: (status, headers, body) => readRefusal(status, headers, body, meaningOf),
  };
  const responseAnswers: AnswerReader = {
    ...chatAnswers,
    readAnswer: (bytes) => readResponse(bytes, reading),
    createStreamReader: (_expected, sink) => new ResponseStreamReader(sink, reading),
  };
  const completionAnswers: AnswerReader = {
    ...chatAnswers,
    createStreamReader: (expected, sink) => new ChatStreamReader(expected, sink, reading, COMPLETION_CHUNKS),
  };
  const mediaAnswers = (read: (bytes: Buffer, reading: Reading) => AnswerReading | null): AnswerReader => ({
    ...chatAnswers,
    readAnswer: (bytes) => read(bytes, reading),
    createStreamReader: ({ choices }, sink) => new MediaStreamReader(choices, sink, reading),
  });
  const formCall = (endpoint: string, form: MultipartForm, bytes: Buffer, target: CompiledModel, answers: AnswerReader): PreparedCall => ({
    path: path(endpoint, target),
    body: prepareForm(form, bytes, target),
    headers: ['content-type', form.contentType, ...ANYTHING],
    answers,
    notCarried: NOTHING,
  });
  const formOperation = (endpoint: string): Operation<FormRequest> => {
    return ({ request, bytes }, target) => formCall(endpoint, request.form, bytes, target, soundAnswers);
  };
  const imageAnswers = mediaAnswers(readImages);
  const soundAnswers = mediaAnswers(readSound);
  const speechAsEvents = operation<SpeechRequest>(SPEECH, prepareModel, soundAnswers, ANYTHING);
  const speechAsSound = operation<SpeechRequest>(SPEECH, prepareModel, soundStreamAnswers(soundAnswers), ANYTHING);
  const speech: Operation<SpeechRequest> = (asked, target, context) =>
    (asked.request.stream_format === 'sse' ? speechAsEvents : speechAsSound)(asked, target, context);
  const editAsJson = operation<ImageEditRequest>(IMAGES_EDITS, prepareModel, imageAnswers);
  const imageEdits: Operation<ImageEditRequest> = (asked, target, context) => {
    const { form } = asked.request;
    if (context.isSharedAccount && asked.request.namesFiles) throw keptRefusal('images');
    return form === null ? editAsJson(asked, target, context) : formCall(IMAGES_EDITS, form, asked.bytes, target, imageAnswers);
  };
  const whole = (readAnswer: AnswerReader['readAnswer']): AnswerReader => wholeAnswers({ ...chatAnswers, readAnswer });
  const embeddingAnswers = whole((bytes) => readWholeAnswer(bytes, 'data', reading));
  const packedEmbeddingAnswers = whole((bytes) => {
    const read = readWholeAnswer(bytes, 'data', reading);
    return read === null || read.refusal !== null ? read : { ...read, body: withBase64Vectors(bytes) };
  });
  const embeddings: Operation<EmbeddingsRequest> = (asked, target) => ({
    path: path('/embeddings', target),
    body: prepareEmbeddings(asked, target),
    headers: NOTHING,
    answers: asked.request.encoding_format === 'base64' ? packedEmbeddingAnswers : embeddingAnswers,
    notCarried: lostOnEmbeddings.filter((name) => asked.request[name] !== undefined && asked.request[name] !== null),
  });
  const rerankAnswers = whole((bytes) => readRerank(bytes, reading));
  const moderationAnswers = whole((bytes) => readModeration(bytes, reading));

  const chatDialect = chatProviderDialect((target) => path('/chat/completions', target), HABITS[protocol] ?? {}, reading);

  const passedChat = operation('/chat/completions', prepareChat, chatAnswers);
  const chatCompletions: Operation<ChatCompletionRequest> = (asked, target, context) => {
    if (context.isSharedAccount) refuseKeptFiles(asked.request.messages);
    return passedChat(asked, target, context);
  };
  const ownResponses = operation('/responses', prepareResponse, responseAnswers);
  const translatedResponses = bridged(responsesDialect, chatDialect);
  const responses: Operation<ResponsesRequest> = (asked, target, context) => {
    if (!servesResponses(target.provider)) return translatedResponses(asked, target, context);
    if (context.isSharedAccount) refuseKeptReference(asked.request);
    return ownResponses(asked, target, context);
  };

  return {
    protocol,
    operations: {
      chatCompletions,
      messages: bridged(messagesDialect, chatDialect),
      generateContent: bridged(generateContentDialect, chatDialect),
      responses: serves.includes('responses') ? responses : translatedResponses,
      ...(serves.includes('completions') ? { completions: operation('/completions', prepareCompletion, completionAnswers) } : {}),
      ...(serves.includes('embeddings') ? { embeddings } : {}),
      ...(serves.includes('rerank') ? { rerank: operation('/rerank', prepareModel, rerankAnswers) } : {}),
      ...(serves.includes('imageGenerations') ? { imageGenerations: operation('/images/generations', prepareModel, imageAnswers) } : {}),
      ...(serves.includes('imageEdits') ? { imageEdits } : {}),
      ...(serves.includes('speech') ? { speech } : {}),
      ...(serves.includes('transcriptions') ? { transcriptions: formOperation('/audio/transcriptions') } : {}),
      ...(serves.includes('translations') ? { translations: formOperation('/audio/translations') } : {}),
      ...(serves.includes('moderations') ? { moderations: operation('/moderations', prepareModeration, moderationAnswers) } : {}),
    },
    ...(peculiarities.accountPath === undefined ? {} : { accountPath: peculiarities.accountPath }),
    readUsage: (reported) => readReportedUsage(reported, readCost),
    billingOfStatus,
    billingOfFailure: (kind) => BILLING_OF_FAILURE[kind],
  };
}
