import type { GenerateContentRequest } from '../../../../schema/http/generate-content.ts';
import { parseExactJson } from '../../body/exact-json.ts';
import { isFields } from '../../body/json-fields.ts';
import type { SentBody } from '../../body/sent-body.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import type { AnswerReader, Asked, Operation, ProviderRefusal } from '../provider.ts';
import { NOTHING } from '../provider.ts';
import { readGoogleRefusal } from './failure.ts';
import { NativeGeminiStream } from './native-stream.ts';
import { modelPath } from './request.ts';
import { readGeminiAnswer } from './response.ts';
import { refuseKeptContent } from './stored-files.ts';

/** Answers that pass to an application of the same dialect as they are. */
export const contentAnswers: AnswerReader = {
  isStream: (contentType) => contentType.startsWith('text/event-stream'),
  readAnswer: (bytes) => {
    const read = readGeminiAnswer(bytes);
    if (read === null) return null;
    // A candidate that says that it failed is one its own clients understand.
    return { facts: read.facts, body: null, refusal: read.isError ? withBody(read.refusal, bytes) : null };
  },
  createStreamReader: ({ choices }, sink) => new NativeGeminiStream(sink, choices),
  readRefusal: (status, headers, body) => withBody(readGoogleRefusal(status, headers, body), body),
};

/** An application's own content: the model is named by the path, every byte of the body is its own. @param models where the models are, below the base URL. */
export function nativeGenerateContent(models: string): Operation<GenerateContentRequest> {
  return (asked, { upstreamModel }: CompiledModel, { isSharedAccount }) => {
    if (isSharedAccount) refuseKeptContent(asked.request.body);
    return {
      path: `${models}${modelPath(upstreamModel)}:${asked.request.method}${asked.request.isEventStream ? '?alt=sse' : ''}`,
      body: bodyOf(asked),
      headers: NOTHING,
      answers: contentAnswers,
      notCarried: NOTHING,
    };
  };
}

function bodyOf({ bytes, media, outputTokens }: Asked<GenerateContentRequest>): SentBody {
  if (outputTokens === null) return bytes;
  const body = parseExactJson((media?.skeleton ?? bytes).toString('utf8'));
  if (!isFields(body)) return bytes;
  const name = isFields(body.generation_config) ? 'generation_config' : 'generationConfig';
  const config = isFields(body[name]) ? body[name] : {};
  const json = JSON.stringify({ ...body, [name]: { ...config, maxOutputTokens: outputTokens } });
  return media?.restore(json) ?? Buffer.from(json, 'utf8');
}

/** Google's own words pass, but for those about the gateway's credential. */
export function withBody<Refusal extends ProviderRefusal | null>(refusal: Refusal, body: Buffer): Refusal {
  return refusal === null || refusal.credentialRejected || refusal.code === null ? refusal : { ...refusal, body };
}
