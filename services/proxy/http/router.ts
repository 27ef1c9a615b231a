import type { ServerResponse } from 'node:http';
import type { IncomingRequest } from './incoming-request.ts';
import { requestPath } from './request-path.ts';

/**
 * Answers a request, now or later; must not throw.
 * @param rest of a path with something open at its end: what stands there, as it was sent, percent-encoded. Else empty.
 */
export type Handler = (request: IncomingRequest, response: ServerResponse, rest: string) => void;

/** One endpoint. A path that ends in `/` stands for everything below it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly handle: Handler;
}

/**
 * Finds the handler of a request: one look-up of its path for all but the endpoints with something open at their end.
 * Paths are compared as they are sent, case and percent-encoding included: who guards a path in front of us and we must never
 * read the same bytes differently.
 * @param otherwise answers what is no endpoint; a path with another method is none either.
 */
export function createRouter(routes: readonly Route[], otherwise: Handler): (request: IncomingRequest, response: ServerResponse) => void {
  const exact = new Map<string, Map<string, Handler>>();
  const below: Route[] = [];
  for (const route of routes) {
    if (route.path.endsWith('/')) below.push(route);
    const methods = exact.get(route.path) ?? new Map<string, Handler>();
    exact.set(route.path, methods.set(route.method, route.handle));
  }
  return (request, response) => {
    const { method = '', url = '' } = request;
    const methods = exact.get(url);
    const handle = methods?.get(method);
    if (handle !== undefined) {
      handle(request, response, '');
      return;
    }
    const path = requestPath(url);
    const found = exact.get(path)?.get(method);
    if (found !== undefined) {
      found(request, response, '');
      return;
    }
    for (const route of below) {
      if (route.method === method && path.startsWith(route.path)) {
        route.handle(request, response, path.slice(route.path.length));
        return;
      }
    }
    otherwise(request, response, path);
  };
}
