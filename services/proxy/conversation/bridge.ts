import { refuseFilesIn } from '../providers/kept-files.ts';
import type {
  AnswerReader,
  AnswerReading,
  CallContext,
  Operation,
  StreamExpectation,
  StreamReader,
  StreamSink,
} from '../providers/provider.ts';
import { NOTHING } from '../providers/provider.ts';
import type { ApplicationDialect, ProviderDialect } from './dialect.ts';
import { refuseStoredMedia } from './stored-media.ts';
import { TranslatedStream } from './translated-stream.ts';

/**
 * An endpoint in one dialect, served by a provider that speaks another: the request is read into a conversation and written anew, and what is answered
 * comes back as events. Everything of a request is in its own call.
 */
export function bridged<Request>(application: ApplicationDialect<Request>, provider: ProviderDialect): Operation<Request> {
  return ({ request, bytes, media, outputTokens }, target, context) => {
    const notCarried = new Set<string>();
    const note = (field: string): void => {
      notCarried.add(field);
    };
    const read = application.readRequest(request, note, media?.skeleton ?? bytes);
    if (context.isSharedAccount) refuseStoredMedia(read);
    const conversation = outputTokens === null ? read : { ...read, maxOutputTokens: outputTokens };
    if (context.isSharedAccount) refuseFilesIn(conversation);
    const { path, body, headers } = provider.writeRequest(conversation, target, note);
    return {
      path,
      body: media?.restore(body) ?? Buffer.from(body, 'utf8'),
      headers,
      answers: translatedAnswers(application, provider, request, context),
      notCarried: notCarried.size === 0 ? NOTHING : [...notCarried],
    };
  };
}

function translatedAnswers<Request>(
  application: ApplicationDialect<Request>,
  provider: ProviderDialect,
  request: Request,
  { requestId, modelRequested, nowMs }: CallContext,
): AnswerReader {
  const stamp = { requestId, model: modelRequested, createdSeconds: Math.floor(nowMs / 1000) };
  return {
    isStream: (contentType) => provider.isStream(contentType),
    readAnswer: (bytes): AnswerReading | null => {
      const answer = provider.readAnswer(bytes);
      if (answer === null) return null;
      const { facts, refusal, events } = answer;
      if (refusal !== null) return { facts, body: null, refusal: { ...refusal, body: null } };
      const notCarried = new Set(answer.notCarried);
      const body = application.writeAnswer(events, { ...stamp, usageAsked: true }, request, (part) => notCarried.add(part));
      return { facts, body: Buffer.from(body, 'utf8'), refusal, notCarried: notCarried.size === 0 ? NOTHING : [...notCarried] };
    },
    createStreamReader: ({ usageAsked }: StreamExpectation, sink: StreamSink): StreamReader =>
      new TranslatedStream(provider, (note) => application.createStreamWriter({ ...stamp, usageAsked }, request, note), sink),
    // The provider's own bytes are an error in its own dialect, hence never passed on.
    readRefusal: (status, headers, body) => ({ ...provider.readRefusal(status, headers, body), body: null }),
  };
}
