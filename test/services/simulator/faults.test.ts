import { connect } from 'node:net';
import { createGunzip } from 'node:zlib';
import { expect, test } from 'vitest';
import { eventually } from '../../harness/eventually.ts';
import { startSimulator } from '../../harness/simulator.ts';

const messages = [{ role: 'user', content: 'one two three four five six seven eight nine ten' }];

/** What comes back over a bare socket: no HTTP library that could hide how bytes were cut. */
async function rawExchange(url: string, body: object, headers: Readonly<Record<string, string>> = {}) {
  const { hostname, port } = new URL(url);
  const text = JSON.stringify(body);
  const lines = Object.entries({
    host: 'simulator',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    connection: 'close',
    ...headers,
  });
  const socket = connect(Number(port), hostname);
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`);
  const received: Buffer[] = [];
  let error: string | null = null;
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => received.push(chunk));
    socket.on('error', (thrown) => (error = 'code' in thrown ? String(thrown.code) : thrown.message));
    socket.on('close', () => resolve());
  });
  const bytes = Buffer.concat(received);
  const headEnd = bytes.indexOf('\r\n\r\n');
  return { error, head: bytes.subarray(0, headEnd).toString(), ...dechunk(bytes.subarray(headEnd + 4)) };
}

function dechunk(bytes: Buffer) {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(bytes.subarray(at, lineEnd).toString(), 16);
    if (!(size > 0)) return { pieces, complete: size === 0 };
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return { pieces, complete: false };
}

const textOf = (pieces: readonly Buffer[]) => Buffer.concat(pieces).toString();
const eventsIn = (text: string) => text.split(/\r?\n\r?\n/).filter((event) => event !== '');

test('a connection broken before the headers is reset and bills nothing', async () => {
  await using provider = await startSimulator();
  const got = await rawExchange(provider.url, { model: 'disconnect', messages, stream: true });
  expect([got.error, got.head]).toEqual(['ECONNRESET', '']);
  expect(provider.simulator.books.entries(0, 10).entries).toMatchObject([{ outcome: 'cut', status: null, billed: null, reported: null }]);
});

test.each([0, 1, 4, 1000])(
  'a stream closed after %i events has exactly these, no end and no [DONE], and bills the tokens sent',
  async (events) => {
    await using provider = await startSimulator();
    const got = await rawExchange(provider.url, { model: 'echo', messages, stream: true, metadata: { simulator: `disconnect=${events}` } });
    const sent = eventsIn(textOf(got.pieces));
    // Opening chunk, ten tokens, finish; the thirteenth event would be [DONE].
    expect(sent).toHaveLength(Math.min(events, 12));
    expect(got.complete).toBe(false);
    expect(got.head).toMatch(/^HTTP\/1.1 200/);
    expect(textOf(got.pieces)).not.toContain('[DONE]');
    const tokens = Math.min(10, Math.max(0, events - 1));
    const [entry] = provider.simulator.books.entries(0, 10).entries;
    expect(entry).toMatchObject({ outcome: 'cut', status: 200, reported: null });
    expect(entry?.billed?.completionTokens ?? 0).toBe(tokens);
  },
);

test('an early end in good order is a whole HTTP body without [DONE]', async () => {
  await using provider = await startSimulator();
  const got = await rawExchange(provider.url, { model: 'end-early', messages, stream: true });
  expect(got.complete).toBe(true);
  expect(eventsIn(textOf(got.pieces))).toHaveLength(3);
  expect(provider.simulator.books.summary().streams).toMatchObject({ cut: 1, finished: 0 });
});

test('a body closed in the middle is shorter than its content-length', async () => {
  await using provider = await startSimulator();
  const got = await fetch(`${provider.baseUrl}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'disconnect-mid', messages }),
  });
  expect(got.status).toBe(200);
  await expect(got.text()).rejects.toThrow();
});

test('a stall holds the stream for its time and then goes on', async () => {
  await using provider = await startSimulator();
  for (const stall of ['before', '0', '3']) {
    const startedAt = performance.now();
    const got = await rawExchange(provider.url, {
      model: 'echo',
      messages,
      stream: true,
      metadata: { simulator: `stall=${stall}; stall-ms=120` },
    });
    expect(performance.now() - startedAt).toBeGreaterThan(115);
    expect(eventsIn(textOf(got.pieces))).toHaveLength(13);
  }
});

test('a stall after 0 events sends the headers first', async () => {
  await using provider = await startSimulator();
  const leave = new AbortController();
  const response = await fetch(`${provider.baseUrl}/chat/completions`, {
    method: 'POST',
    signal: leave.signal,
    body: JSON.stringify({ model: 'echo', messages, stream: true, metadata: { simulator: 'stall=0' } }),
  });
  expect(response.status).toBe(200);
  leave.abort();
  await eventually(() => provider.simulator.books.summary().outcomes.cancelled === 1);
});

test('a malformed event is broken JSON among whole ones, and the stream ends as if nothing were', async () => {
  await using provider = await startSimulator();
  const got = await rawExchange(provider.url, { model: 'malformed', messages, stream: true });
  const events = eventsIn(textOf(got.pieces));
  const broken = events.slice(0, -1).map((event) => {
    try {
      JSON.parse(event.replace('data: ', ''));
      return false;
    } catch {
      return true;
    }
  });
  expect(broken.flatMap((is, index) => (is ? [index] : []))).toEqual([2]);
  expect(events.at(-1)).toBe('data: [DONE]');
});

test('an error event can be the very first of a 200, and ends the stream without [DONE]', async () => {
  await using provider = await startSimulator();
  const got = await rawExchange(provider.url, { model: 'echo', messages, stream: true, metadata: { simulator: 'error-after=0' } });
  const events = eventsIn(textOf(got.pieces));
  expect(events).toHaveLength(1);
  expect(JSON.parse(events[0]!.slice(6))).toMatchObject({ error: { type: 'server_error' } });
  expect(provider.simulator.books.entries(0, 1).entries[0]).toMatchObject({ outcome: 'cut', billed: null });
});

test('split frames carry the same bytes in pieces of the size asked for, also within a character', async () => {
  const body = (simulator: string) => ({
    model: 'echo',
    messages: [{ role: 'user', content: 'grüße 👋 世界' }],
    stream: true,
    metadata: { simulator },
  });
  await using whole = await startSimulator({ clock: { now: () => 0, monotonic: () => performance.now() } });
  const pieces = (await rawExchange(whole.url, body('split=7'))).pieces;
  expect(new Set(pieces.slice(0, -1).map((piece) => piece.length))).toEqual(new Set([7]));
  const content = eventsIn(textOf(pieces))
    .slice(0, -1)
    .map((event) => JSON.parse(event.slice(6)).choices[0].delta.content ?? '');
  expect(content.join('')).toBe('grüße 👋 世界');
});

test('CRLF framing and comments are what the standard allows', async () => {
  await using provider = await startSimulator();
  const got = textOf(
    (await rawExchange(provider.url, { model: 'crlf', messages, stream: true, metadata: { simulator: 'comments=on' } })).pieces,
  );
  expect(got.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(got.startsWith(': simulated keep-alive\r\n\r\ndata: {')).toBe(true);
  expect(got.endsWith('data: [DONE]\r\n\r\n')).toBe(true);
});

test('gzip is used only when accepted, and each event can be unpacked when it comes', async () => {
  await using provider = await startSimulator();
  const plain = await rawExchange(provider.url, { model: 'gzip', messages, stream: true }, { 'accept-encoding': 'gzip;q=0, deflate' });
  expect(plain.head).not.toMatch(/content-encoding/i);
  const leave = new AbortController();
  const response = await fetch(`${provider.baseUrl}/chat/completions`, {
    method: 'POST',
    // It stands still behind the third event until we leave.
    body: JSON.stringify({ model: 'gzip', messages, stream: true, metadata: { simulator: 'stall=3; stall-ms=60000' } }),
    signal: leave.signal,
  });
  expect(response.headers.get('content-encoding')).toBe('gzip');
  const reader = response.body!.getReader();
  let text = '';
  const decoder = new TextDecoder();
  while (eventsIn(text).length < 3) text += decoder.decode((await reader.read()).value, { stream: true });
  expect(eventsIn(text)).toHaveLength(3);
  leave.abort();

  const packed = await rawExchange(provider.url, { model: 'gzip', messages }, { 'accept-encoding': 'gzip' });
  const gunzip = createGunzip();
  gunzip.end(Buffer.concat(packed.pieces));
  expect(JSON.parse(textOf(await gunzip.toArray()))).toMatchObject({ object: 'chat.completion' });
});

test('a set rate paces the stream', async () => {
  await using provider = await startSimulator();
  const startedAt = performance.now();
  await rawExchange(provider.url, { model: 'echo', messages, stream: true, metadata: { simulator: 'rate=50; ttft-ms=50' } });
  // 50 ms to the first of ten tokens, 20 ms to each of the others.
  expect(performance.now() - startedAt).toBeGreaterThan(225);
});

test('an answer in one body takes as long as its tokens', async () => {
  await using provider = await startSimulator();
  const startedAt = performance.now();
  await rawExchange(provider.url, { model: 'echo', messages, metadata: { simulator: 'token-ms=10..30' } });
  expect(performance.now() - startedAt).toBeGreaterThan(90);
});

test('a finish reason that is missing stays null to the end', async () => {
  await using provider = await startSimulator();
  const got = await rawExchange(provider.url, { model: 'unfinished', messages, stream: true });
  expect(textOf(got.pieces)).not.toMatch(/"finish_reason":"/);
  expect(textOf(got.pieces)).toMatch(/\[DONE\]/);
});

test('usage that nobody asked for stands on the last chunk with choices', async () => {
  await using provider = await startSimulator();
  const events = eventsIn(textOf((await rawExchange(provider.url, { model: 'unasked-usage', messages, stream: true })).pieces));
  expect(JSON.parse(events.at(-2)!.slice(6))).toMatchObject({ choices: [{ finish_reason: 'stop' }], usage: { completion_tokens: 10 } });
});

test.each(['gzip=off', 'gzip=on', 'split=1000'])('a stream longer than every buffer arrives whole with %s', async (simulator) => {
  await using provider = await startSimulator();
  const body = { model: 'echo', n: 4, messages, stream: true, metadata: { simulator: `tokens=4000; ${simulator}` } };
  const response = await fetch(`${provider.baseUrl}/chat/completions`, { method: 'POST', body: JSON.stringify(body) });
  // Opening, tokens and finish of each choice, then [DONE].
  expect(eventsIn(await response.text())).toHaveLength(4 * 4002 + 1);
  expect(provider.simulator.books.summary().billed.completionTokens).toBe(16_000);
});

test('a compressed stream can break off too, after what was sent', async () => {
  await using provider = await startSimulator();
  const body = { model: 'disconnect-mid', messages, stream: true, metadata: { simulator: 'gzip=on' } };
  const got = await rawExchange(provider.url, body, { 'accept-encoding': 'gzip' });
  expect(got.complete).toBe(false);
  const gunzip = createGunzip();
  const unpacked: Buffer[] = [];
  gunzip.on('data', (chunk) => unpacked.push(chunk));
  gunzip.on('error', () => undefined);
  gunzip.end(Buffer.concat(got.pieces));
  await eventually(() => eventsIn(textOf(unpacked)).length === 3);
});
