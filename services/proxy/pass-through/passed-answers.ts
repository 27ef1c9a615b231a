import { isFrameStream } from '../providers/event-stream/frame-reader.ts';
import { readRefusal } from '../providers/openai/failure.ts';
import type { AnswerReader, FailureBilling, Provider, StreamFraming } from '../providers/provider.ts';
import { FRAMES, PassedFrames } from './passed-frames.ts';
import { ownHeaders } from './passed-headers.ts';
import { isLineStream, LINES, PassedLines } from './passed-lines.ts';
import { PassedStreamReader } from './passed-stream.ts';
import { UsageTap } from './usage-tap.ts';

/**
 * How the answer to one request that is passed through is read: its bytes pass, errors too, and what it says of its usage is tapped.
 * @param billing what it costs where it reports no usage.
 */
export function passedAnswers(provider: Pick<Provider, 'readUsage' | 'addresses'>, billing: FailureBilling): AnswerReader {
  const tap = new UsageTap(provider);
  const { addresses } = provider;
  const isOfFrames = (contentType: string): boolean => addresses !== undefined && isFrameStream(contentType);
  let framing: StreamFraming | null = null;
  return {
    isStream: (contentType) => contentType.includes('text/event-stream') || isLineStream(contentType) || isOfFrames(contentType),
    readHead: (headers) => {
      const { 'content-type': contentType = '' } = headers;
      framing = isOfFrames(contentType) ? FRAMES : isLineStream(contentType) ? LINES : null;
      if (addresses === undefined) return { headers: [], framing };
      tap.lookAtHead(headers);
      return { headers: ownHeaders(headers, addresses), framing };
    },
    readAnswer: (bytes) => {
      tap.look(bytes);
      return { facts: tap.facts(), body: null, billing, refusal: null };
    },
    createStreamReader: (_expected, sink) => {
      if (framing === FRAMES) return new PassedFrames(sink, tap);
      return framing === LINES ? new PassedLines(sink, tap) : new PassedStreamReader(sink, tap);
    },
    readRefusal: (status, headers, body) => {
      const refusal = addresses?.readRefusal(status, headers, body) ?? readRefusal(status, headers, body, () => null);
      // What the provider says of the gateway's own credential is not the application's to read.
      return refusal.credentialRejected || status >= 500 ? refusal : { ...refusal, status, body };
    },
  };
}
