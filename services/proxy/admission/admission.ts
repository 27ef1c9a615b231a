import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../../../schema/errors.ts';
import type { ClientAddressOf } from '../../runtime/client-address.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { AskedEndpoint } from '../exchange.ts';
import { Exchange } from '../exchange.ts';
import type { CompiledSnapshot } from '../snapshot/compiled-snapshot.ts';
import type { Authenticate } from './authenticate.ts';
import { refuseRestricted } from './key-restriction.ts';
import type { Overload } from './overload.ts';
import { requestLabels } from './request-labels.ts';
import { requestOverrides } from './request-overrides.ts';

export interface AdmissionOptions {
  readonly authenticate: Authenticate;
  readonly clientAddress: ClientAddressOf;
  readonly snapshot: () => CompiledSnapshot | null;
  readonly clock: Clock;
  readonly overload: Pick<Overload, 'refuse'>;
  /** True from the moment the process stops: nothing new is admitted. */
  readonly isStopping: () => boolean;
}

/** Lets a request in, under its id, or refuses it. @throws {GatewayError} */
export type Admit = (request: IncomingMessage, requestId: string, response: Exchange['response'], endpoint: AskedEndpoint) => Exchange;

/**
 * The one admission function, in front of every endpoint and before any byte of a body is read: whether there is room, and who calls.
 * What there is no room for is refused before it costs even a hash, so nobody knows whose it was, and it makes no event.
 * From the returned exchange on the request is authenticated and owes the books exactly one event.
 */
export function createAdmission(options: AdmissionOptions): Admit {
  const { authenticate, clientAddress, snapshot, clock, overload, isStopping } = options;
  return (request, requestId, response, endpoint) => {
    const current = snapshot();
    if (isStopping() || current === null) throw new GatewayError('not_ready');
    if (overload.refuse() !== null) throw new GatewayError('overloaded');
    const { headers, socket } = request;
    const address = clientAddress(request);
    const nowMs = clock.now();
    const key = authenticate(headers, socket, address ?? '', current, nowMs);
    return new Exchange(requestId, key, current, endpoint, nowMs, clock.monotonic(), headers, response, address);
  };
}

/**
 * Holds an admitted request to where its key may be used and for what. It is authenticated by then, so its refusal is an event: whose
 * key was tried from elsewhere is told. @throws {GatewayError} `address_not_allowed`, `endpoint_not_allowed`.
 */
export function limitExchange(exchange: Exchange): void {
  const { restriction } = exchange.key;
  if (restriction !== null) refuseRestricted(restriction, exchange.endpoint, exchange.address);
}

/** Reads the labels of an admitted request into it. @throws {GatewayError} `header_not_allowed`; the request then is one to be rejected. */
export function labelExchange(exchange: Exchange): void {
  const labels = requestLabels(exchange.headers, exchange.key.tags);
  exchange.tags = labels.tags;
  exchange.metadata = labels.metadata;
  exchange.endUser = labels.endUser;
  exchange.sdkRetryCount = labels.sdkRetryCount;
}

/** Reads what an admitted request decides for itself. @throws {GatewayError} `header_not_allowed`; the request then is one to be rejected. */
export function overrideExchange(exchange: Exchange): void {
  const { timeoutMs, streamTimeoutMs } = requestOverrides(exchange.headers, exchange.key.allowedOverrides);
  if (timeoutMs !== null) exchange.endBy = exchange.arrivedAt + timeoutMs;
  if (streamTimeoutMs !== null) exchange.beginStreamBy = exchange.arrivedAt + streamTimeoutMs;
}
