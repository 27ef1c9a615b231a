import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { AnswerEvent } from '../../../../services/proxy/conversation/answer-event.ts';
import type { ApplicationDialect, NotCarried } from '../../../../services/proxy/conversation/dialect.ts';
import { chatCompletionsDialect } from '../../../../services/proxy/dialects/chat-completions/chat-completions-dialect.ts';
import { generateContentDialect } from '../../../../services/proxy/dialects/generate-content/generate-content-dialect.ts';
import { messagesDialect } from '../../../../services/proxy/dialects/messages/messages-dialect.ts';
import { responsesDialect } from '../../../../services/proxy/dialects/responses/responses-dialect.ts';
import type { AnswerColumn, AnswerFeature } from '../../../harness/answer-features.ts';
import { ANSWER_COLUMNS, ANSWER_FEATURES, answerTable } from '../../../harness/answer-features.ts';

const stamp = { requestId: 'req_7', model: 'asked', createdSeconds: 1, usageAsked: true };
const started: AnswerEvent = { kind: 'started', id: 'x', model: 'm', usage: null };

/** An answer in a dialect, whole and as a stream. */
type Write = (events: readonly AnswerEvent[], notCarried: NotCarried) => readonly string[];
const writing =
  <Request>(dialect: ApplicationDialect<Request>, request: Request): Write =>
  (events, notCarried) => {
    const writer = dialect.createStreamWriter(stamp, request, notCarried);
    const stream = events.map((event) => writer.write(event)).join('') + writer.end();
    return [dialect.writeAnswer(events, stamp, request, notCarried), stream];
  };
const WRITE: Readonly<Record<AnswerColumn, Write>> = {
  chat: writing(chatCompletionsDialect, { model: 'm', messages: [{}] }),
  messages: writing(messagesDialect, { model: 'm', messages: [{}] }),
  responses: writing(responsesDialect, { model: 'm', input: 'hello' }),
  content: writing(generateContentDialect, { model: 'm', method: 'generateContent', isEventStream: true, body: { contents: [{}] } }),
};

/** Each choice ends, whatever it said. */
function complete(events: readonly AnswerEvent[]): AnswerEvent[] {
  const choices = new Set(events.flatMap((event) => ('choice' in event && event.kind !== 'finished' ? [event.choice] : [])));
  for (const event of events) if (event.kind === 'finished') choices.delete(event.choice);
  const ends = [...choices].map((choice): AnswerEvent => ({ kind: 'finished', choice, reason: 'stop', stopSequence: null }));
  const isEnd = ({ kind }: AnswerEvent): boolean => kind === 'usage' || kind === 'service_tier';
  return [started, ...events.filter((event) => !isEnd(event)), ...ends, ...events.filter(isEnd)];
}

const columns = Object.keys(ANSWER_COLUMNS) as AnswerColumn[];
type Cell = readonly [feature: string, column: AnswerColumn, feature: AnswerFeature];
test.each(ANSWER_FEATURES.flatMap((feature) => columns.map((column): Cell => [feature.name, column, feature])))(
  '%s, of an answer to %s, are written or told of, whole and in a stream',
  (_name, column, { events, becomes: { [column]: written } }) => {
    const notCarried: string[] = [];
    const answers = WRITE[column](complete(events), (part) => notCarried.push(part));
    if (typeof written === 'string') {
      // A dialect that has arguments as a text has them in pieces of one.
      for (const answer of answers) expect(answer.replaceAll('\\"', '"')).toContain(written);
      expect(notCarried).toEqual([]);
    } else expect(notCarried).toEqual(written === null ? [] : [written.told, written.told]);
  },
);

test('the page about translation has the table that is tested here', () => {
  expect(readFileSync(new URL('../../../../docs/translation.md', import.meta.url), 'utf8')).toContain(answerTable());
});
