import { readRefusal } from '../providers/openai/failure.ts';
import type { AnswerReader, Provider } from '../providers/provider.ts';
import { PassedStreamReader } from './passed-stream.ts';
import { UsageTap } from './usage-tap.ts';

/** How the answer to one request that is passed through is read: its bytes pass, errors too, and what it says of its usage is tapped. */
export function passedAnswers(provider: Pick<Provider, 'readUsage'>): AnswerReader {
  const tap = new UsageTap(provider);
  return {
    isStream: (contentType) => contentType.includes('text/event-stream'),
    readAnswer: (bytes) => {
      tap.look(bytes);
      return { facts: tap.facts(), body: null, refusal: null };
    },
    createStreamReader: (_expected, sink) => new PassedStreamReader(sink, tap),
    readRefusal: (status, headers, body) => {
      const refusal = readRefusal(status, headers, body, () => null);
      // What the provider says of the gateway's own credential is not the application's to read.
      return refusal.credentialRejected || status >= 500 ? refusal : { ...refusal, status, body };
    },
  };
}
