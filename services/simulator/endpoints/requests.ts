import type { Endpoint } from '../endpoint.ts';
import { sendFailure, sendJson } from '../endpoint.ts';
import { invalidRequest } from '../failures.ts';
import type { ReceivedRequests } from '../received-requests.ts';

/** `GET /requests/last?limit=<1 to 64>&request-id=<x-request-id>`: what the latest requests to billable endpoints brought, newest first. */
export function lastRequestsEndpoint(received: ReceivedRequests): Endpoint {
  return {
    path: '/requests/last',
    handlers: {
      GET: ({ response, url }) => {
        const limit = Number(url.searchParams.get('limit') ?? '1');
        if (!Number.isSafeInteger(limit) || limit < 1 || limit > 64) {
          sendFailure(response, invalidRequest('Expected a number from 1 to 64.', 'limit'));
        } else {
          sendJson(response, 200, { requests: received.latest(limit, url.searchParams.get('request-id')) });
        }
      },
    },
  };
}
