import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { followProviderBooks } from './provider-books.ts';

/** A provider with three calls in its books, which hands out one a page. */
async function startBooks() {
  const entryOf = (sequence: number) => ({
    sequence,
    requestId: `req_${sequence}`,
    model: 'echo',
    stream: false,
    status: 200,
    outcome: 'finished',
    reported: null,
    billed: null,
  });
  const server = createServer((request, response) => {
    const after = Number(new URL(request.url ?? '', 'http://books').searchParams.get('after'));
    const entries = after < 3 ? [entryOf(after + 1)] : [];
    response.end(JSON.stringify({ entries, missed: 0, lastSequence: after + entries.length }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('calls that are read while they are being read are there once', async () => {
  await using books = await startBooks();
  const read = followProviderBooks(books.url);
  const [, last] = await Promise.all([read(), read()]);
  expect(last.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
});
