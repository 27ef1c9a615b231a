import type { AskedEndpoint, Exchange } from '../exchange.ts';
import type { IncomingRequest } from '../http/incoming-request.ts';
import type { Route } from '../http/router.ts';
import type { Refuse } from './served-endpoint.ts';

/** An endpoint for what is kept at providers: several ways to ask for it, none of which has its body read before. */
export interface AccountEndpoint extends AskedEndpoint {
  readonly routes: readonly AccountRoute[];
}

export interface AccountRoute extends Pick<Route, 'method' | 'path'> {
  /** @param rest as {@link Route} has it. @param refuse told of a refusal that comes later. @throws {GatewayError} of one that comes at once. */
  readonly serve: (exchange: Exchange, request: IncomingRequest, rest: string, refuse: Refuse) => void;
}
