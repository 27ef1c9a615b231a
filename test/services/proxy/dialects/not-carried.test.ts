import { expect, test } from 'vitest';
import type { AnswerEvent } from '../../../../services/proxy/conversation/answer-event.ts';
import type { ApplicationDialect } from '../../../../services/proxy/conversation/dialect.ts';
import { chatCompletionsDialect } from '../../../../services/proxy/dialects/chat-completions/chat-completions-dialect.ts';
import { generateContentDialect } from '../../../../services/proxy/dialects/generate-content/generate-content-dialect.ts';
import { messagesDialect } from '../../../../services/proxy/dialects/messages/messages-dialect.ts';
import { responsesDialect } from '../../../../services/proxy/dialects/responses/responses-dialect.ts';

const stamp = { requestId: 'req_1', model: 'asked', createdSeconds: 1, usageAsked: true };
const EVENTS: readonly AnswerEvent[] = [
  { kind: 'started', id: 'x', model: 'm', usage: null },
  { kind: 'text', choice: 0, text: 'so it is' },
  { kind: 'citation', choice: 0, citation: { title: 'a book', url: null, quoted: 'it is', start: 0, end: 5 } },
  { kind: 'image', choice: 0, mediaType: 'image/png', data: 'QUJD' },
  { kind: 'finished', choice: 0, reason: 'stop', stopSequence: null },
];

/** How a dialect writes that answer, and what it tells of, whole and as a stream. */
function written<Request>(dialect: ApplicationDialect<Request>, request: Request): { readonly texts: string[]; readonly told: string[][] } {
  const told: string[][] = [[], []];
  const writer = dialect.createStreamWriter(stamp, request, (part) => told[0]?.push(part));
  const streamed = EVENTS.map((event) => writer.write(event)).join('') + writer.end();
  return { texts: [streamed, dialect.writeAnswer(EVENTS, stamp, request, (part) => told[1]?.push(part))], told };
}

const content = { model: 'm', method: 'generateContent' as const, isEventStream: false, body: { contents: [{}] } };
test.each([
  ['chat completions', written(chatCompletionsDialect, { model: 'm', messages: [{}] }), ['citations'], 'data:image/png;base64,QUJD'],
  ['messages', written(messagesDialect, { model: 'm', messages: [{}] }), ['citations', 'images'], null],
  [
    'responses',
    written(responsesDialect, { model: 'm', input: 'hello' }),
    [],
    '"type":"image_generation_call","status":"completed","result":"QUJD"',
  ],
  ['generateContent', written(generateContentDialect, content), [], '{"inlineData":{"mimeType":"image/png","data":"QUJD"}}'],
])('%s say what the model drew and cited, or tell that they do not', (_dialect, { texts, told }, expected, picture) => {
  expect(told).toEqual([expected, expected]);
  for (const text of texts) expect(picture === null || text.includes(picture)).toBe(true);
});
