import type { Books } from '../books.ts';
import type { Endpoint } from '../endpoint.ts';
import { sendFailure, sendJson } from '../endpoint.ts';
import { invalidRequest } from '../failures.ts';

const mostEntries = 10_000;

/** `GET /books`: totals. `DELETE /books`: begin anew. */
export function booksEndpoint(books: Books): Endpoint {
  return {
    path: '/books',
    handlers: {
      GET: ({ response }) => sendJson(response, 200, books.summary()),
      DELETE: ({ response }) => {
        books.reset();
        response.writeHead(204);
        response.end();
      },
    },
  };
}

/** `GET /books/entries?after=<sequence>&limit=<1 to 10,000>`: single entries, oldest first. */
export function bookEntriesEndpoint(books: Books): Endpoint {
  return {
    path: '/books/entries',
    handlers: {
      GET: ({ response, url }) => {
        const after = Number(url.searchParams.get('after') ?? '0');
        const limit = Number(url.searchParams.get('limit') ?? '1000');
        if (!Number.isSafeInteger(after) || after < 0) {
          sendFailure(response, invalidRequest('Expected a sequence number, 0 or more.', 'after'));
        } else if (!Number.isSafeInteger(limit) || limit < 1 || limit > mostEntries) {
          sendFailure(response, invalidRequest(`Expected a number from 1 to ${mostEntries}.`, 'limit'));
        } else {
          sendJson(response, 200, books.entries(after, limit));
        }
      },
    },
  };
}
