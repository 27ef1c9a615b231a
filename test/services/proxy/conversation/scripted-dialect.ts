import type { AnswerEvent } from '../../../../services/proxy/conversation/answer-event.ts';
import type { AnswerSink, AnswerStreamReader, ProviderDialect } from '../../../../services/proxy/conversation/dialect.ts';
import type { AnswerFacts, ProviderRefusal } from '../../../../services/proxy/providers/provider.ts';
import { NO_FACTS } from '../../../../services/proxy/providers/provider.ts';

export const SCRIPTED_FACTS: AnswerFacts = { ...NO_FACTS, modelAnswered: 'scripted' };
export const SCRIPTED_REFUSAL: ProviderRefusal = {
  status: 400,
  type: 'invalid_request_error',
  code: 'no',
  message: 'No.',
  param: null,
  meta: {},
  body: Buffer.from('in its own words'),
  retryAfter: null,
  retryable: false,
  credentialRejected: false,
};

/** What a scripted provider sends: events, one a line, and the words `done`, `failed`, `broken`. */
export const scriptOf = (lines: readonly (AnswerEvent | 'done' | 'failed' | 'broken')[]): Buffer =>
  Buffer.from(lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));

/** A provider whose dialect is the conversation itself, as JSON: what the bridge does is all there is to see. */
export const scriptedDialect: ProviderDialect = {
  writeRequest: (conversation, { upstreamModel }, notCarried) => {
    if (conversation.seed !== null) notCarried('seed');
    return { path: `/${upstreamModel}`, body: JSON.stringify(conversation), headers: ['x-scripted', '1'] };
  },
  isStream: (contentType) => contentType === 'text/scripted',
  readAnswer: (bytes) => {
    const events: AnswerEvent[] = [];
    let refusal: ProviderRefusal | null = null;
    let isWhole = false;
    const reader = createReader({
      event: (event) => events.push(event),
      notCarried: () => {},
      completed: () => {
        isWhole = true;
      },
      failed: (failure) => {
        refusal = failure;
      },
      broken: () => {},
    });
    reader.push(bytes);
    return isWhole || refusal !== null ? { facts: SCRIPTED_FACTS, refusal, events } : null;
  },
  createStreamReader: createReader,
  readRefusal: (status) => ({ ...SCRIPTED_REFUSAL, status }),
};

function createReader(sink: AnswerSink): AnswerStreamReader {
  let rest = '';
  let isOver = false;
  const readLine = (line: string): void => {
    if (isOver) return;
    isOver = line === 'done' || line === 'failed' || line === 'broken';
    if (line === 'done') sink.completed();
    else if (line === 'failed') sink.failed(SCRIPTED_REFUSAL);
    else if (line === 'broken') sink.broken();
    else sink.event(JSON.parse(line));
  };
  return {
    push: (chunk) => {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(readLine);
    },
    end: () => isOver,
    facts: () => SCRIPTED_FACTS,
  };
}
