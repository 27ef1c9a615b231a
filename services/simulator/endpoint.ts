import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../runtime/clock.ts';
import type { BatchRuns } from './batch-runs.ts';
import type { Books } from './books.ts';
import type { Failure } from './failures.ts';
import type { KeptFiles } from './kept-files.ts';
import type { Occurrences } from './occurrences.ts';
import type { ReceivedRequests } from './received-requests.ts';
import type { Scenario } from './scenario/scenario.ts';

/** What all endpoints of one simulator share. */
export type SimulatorState = {
  readonly seed: number;
  readonly clock: Clock;
  readonly books: Books;
  readonly received: ReceivedRequests;
  readonly files: KeptFiles;
  readonly batches: BatchRuns;
  readonly occurrences: Occurrences;
  readonly nameCredential: (secret: string) => string;
  /** The scenario that is played, or null. */
  readonly scenario: Scenario | null;
};

/** One request with its whole body, and where the answer goes. */
export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly body: Buffer;
};

export type Handler = (exchange: Exchange) => void;

/** A path and what is done there, by method. Adding an endpoint is adding one of these to the list in `server.ts`. */
export type Endpoint = {
  /** An exact path, or one ending in `/*` that covers everything below. */
  readonly path: string;
  readonly handlers: Readonly<Record<string, Handler>>;
};

/** Answers with JSON and the length of it. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendBody(response, status, 'application/json', JSON.stringify(value));
}

export function sendBody(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, ['content-type', contentType, 'content-length', String(Buffer.byteLength(body))]);
  response.end(body);
}

export function sendFailure(response: ServerResponse, failure: Failure): void {
  response.writeHead(failure.status, { ...failure.headers, 'content-length': Buffer.byteLength(failure.body) });
  response.end(failure.body);
}
