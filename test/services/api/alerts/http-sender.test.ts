import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HttpSender } from '../../../../services/api/alerts/http-sender.ts';
import { createHttpSender } from '../../../../services/api/alerts/http-sender.ts';
import type { WebhookReceiver } from '../../../harness/webhook-receiver.ts';
import { startWebhookReceiver } from '../../../harness/webhook-receiver.ts';

let receiver: WebhookReceiver;
let http: HttpSender;
beforeAll(async () => {
  receiver = await startWebhookReceiver();
  http = createHttpSender();
});
afterAll(async () => {
  await http.close();
  await receiver[Symbol.asyncDispose]();
});

const never = new AbortController().signal;
const post = (answer: WebhookReceiver['answer'], sender = http) => {
  receiver.answer = answer;
  return sender.post(receiver.url, { 'webhook-id': 'dlv_1' }, '{"a":"ä"}', never);
};

test('a message arrives as it was given, and every 2xx means it was taken', async () => {
  for (const status of [200, 202, 204]) expect(await post(status)).toEqual({ kind: 'delivered', status, note: null });
  expect(receiver.received.at(-1)).toMatchObject({
    path: '/hook',
    body: '{"a":"ä"}',
    headers: { 'content-type': 'application/json', 'webhook-id': 'dlv_1', 'user-agent': 'turnpike' },
  });
});

test('a redirect is a failure and is not followed', async () => {
  const before = receiver.received.length;
  const outcome = await post((response) => response.writeHead(307, { location: receiver.url }).end());
  expect(outcome).toMatchObject({ kind: 'failed', status: 307, error: 'The receiver answered HTTP 307, and redirects are not followed.' });
  expect(receiver.received.length).toBe(before + 1);
});

test('of a failure the status and what it asks to wait are known, and no word of what it says', async () => {
  const outcome = await post((response) => response.writeHead(503, { 'retry-after': '120' }).end('internal address 10.0.0.7'));
  expect(outcome).toEqual({ kind: 'failed', status: 503, error: 'The receiver answered HTTP 503.', retryAfterMs: 120_000 });
  expect(await post((response) => response.writeHead(429, { 'retry-after': 'Fri, 31 Dec 1999 23:59:59 GMT' }).end())).toMatchObject({
    kind: 'failed',
    retryAfterMs: null,
  });
  expect(await post(410)).toMatchObject({ kind: 'gone', status: 410 });
});

test('an answer without end is cut off, and its status counts', async () => {
  const outcome = await post((response) => {
    response.writeHead(200);
    const more = () => {
      while (response.write('x'.repeat(65_536)));
    };
    response.on('drain', more).on('error', () => {});
    more();
  });
  expect(outcome).toEqual({ kind: 'delivered', status: 200, note: null });
});

test('who breaks off, does not answer in time, or is not there, has failed', async () => {
  expect(await post((response) => response.socket?.destroy())).toMatchObject({ kind: 'failed', status: null });
  const hasty = createHttpSender(200);
  expect(await post(() => {}, hasty)).toMatchObject({
    kind: 'failed',
    status: null,
    error: 'The receiver could not be reached: it did not answer in time.',
  });
  await hasty.close();
  const nobody = await http.post('http://127.0.0.1:1/hook', {}, '{}', never);
  expect(nobody).toMatchObject({ kind: 'failed', error: 'The receiver could not be reached: it refused the connection.' });
});

test('only an end of the process throws', async () => {
  const ending = new AbortController();
  receiver.answer = () => ending.abort(new Error('over'));
  await expect(http.post(receiver.url, {}, '{}', ending.signal)).rejects.toThrow('over');
});
