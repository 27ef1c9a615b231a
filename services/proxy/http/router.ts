import type { ServerResponse } from 'node:http';
import type { IncomingRequest } from './incoming-request.ts';
import { requestPath } from './request-path.ts';

/**
 * Answers a request, now or later; must not throw.
 * @param rest of a path with something open at its end: what stands there, as it was sent, percent-encoded. Else empty.
 */
export type Handler = (request: IncomingRequest, response: ServerResponse, rest: string) => void;

const METHOD_OF_SOMETHING = '/:';

/** One endpoint. A path that ends in `/` stands for everything below it, one with `/:method` for what is below and ends so. */
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
  const below: { readonly route: Route; readonly begin: string; readonly end: string }[] = [];
  for (const route of routes) {
    const open = route.path.indexOf(METHOD_OF_SOMETHING);
    if (open >= 0) {
      // Before those that stand for everything there.
      below.unshift({ route, begin: route.path.slice(0, open + 1), end: route.path.slice(open + 1) });
      continue;
    }
    if (route.path.endsWith('/')) below.push({ route, begin: route.path, end: '' });
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
    for (const { route, begin, end } of below) {
      if (route.method === method && path.startsWith(begin) && path.endsWith(end)) {
        route.handle(request, response, path.slice(begin.length));
        return;
      }
    }
    otherwise(request, response, path);
  };
}
