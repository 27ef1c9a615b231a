import type { BatchLine, LineAnswer } from '../batch-runs.ts';
import type { Endpoint, Exchange, SimulatorState } from '../endpoint.ts';
import { sendFailure, sendJson } from '../endpoint.ts';
import { failure, invalidRequest } from '../failures.ts';
import { ownerOf } from './files.ts';

const path = '/v1/batches';
const cancelSuffix = '/cancel';
const usualLimit = 20;

/**
 * `POST /v1/batches`, `GET /v1/batches`: each line is answered by the endpoint that it names, through a socket of its own, so that the books have it as every
 * other request; then the output file and that of the errors are there.
 */
export function batchesEndpoint(state: SimulatorState): Endpoint {
  return {
    path,
    handlers: {
      POST: ({ request, response, body }) => {
        state.received.remember(request, body);
        const asked = objectIn(body.toString('utf8')) ?? {};
        const owner = ownerOf(state, request.headers);
        const file = typeof asked.input_file_id === 'string' ? state.files.find(owner, asked.input_file_id) : null;
        if (file === null) return sendFailure(response, invalidRequest('The input file does not exist.', 'input_file_id'));
        const lines = file.content
          .toString('utf8')
          .split('\n')
          .filter((line) => line.trim() !== '')
          .map(lineIn);
        const known = lines.filter((line) => line !== null);
        if (known.length < lines.length)
          return sendFailure(response, invalidRequest('A line of the input file cannot be read.', 'input_file_id'));
        const authorization = request.headers.authorization;
        const address = `http://127.0.0.1:${request.socket.localPort}`;
        const batch = state.batches.begin({
          owner,
          endpoint: String(asked.endpoint),
          inputFileId: file.object.id,
          completionWindow: String(asked.completion_window),
          metadata: asked.metadata ?? null,
          lines: known,
          answer: ({ url, body: lineBody }) => answerOf(address + url, lineBody, authorization),
        });
        sendJson(response, 200, batch);
      },
      GET: ({ request, response, url }) => {
        const all = state.batches.of(ownerOf(state, request.headers));
        const from = all.findIndex(({ id }) => id === url.searchParams.get('after')) + 1;
        const limit = Number(url.searchParams.get('limit') ?? usualLimit);
        sendJson(response, 200, { object: 'list', data: all.slice(from, from + limit), has_more: all.length > from + limit });
      },
    },
  };
}

/** `GET /v1/batches/{id}`, `POST /v1/batches/{id}/cancel`: of who made it. */
export function batchEndpoint(state: SimulatorState): Endpoint {
  const answer = ({ response }: Exchange, id: string, batch: unknown): void => {
    const error = { message: `No batch found with id '${id}'.`, type: 'invalid_request_error', param: null, code: null };
    if (batch === null) sendFailure(response, failure(404, error));
    else sendJson(response, 200, batch);
  };
  return {
    path: `${path}/*`,
    handlers: {
      GET: (exchange) => {
        const id = exchange.url.pathname.slice(path.length + 1);
        answer(exchange, id, state.batches.find(ownerOf(state, exchange.request.headers), id));
      },
      POST: (exchange) => {
        const rest = exchange.url.pathname.slice(path.length + 1);
        const id = rest.endsWith(cancelSuffix) ? rest.slice(0, -cancelSuffix.length) : '';
        answer(exchange, id, state.batches.cancel(ownerOf(state, exchange.request.headers), id));
      },
    },
  };
}

async function answerOf(url: string, body: unknown, authorization: string | undefined): Promise<LineAnswer> {
  const headers = { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

function lineIn(text: string): BatchLine | null {
  const line = objectIn(text);
  if (line === null || typeof line.custom_id !== 'string' || typeof line.url !== 'string') return null;
  return { custom_id: line.custom_id, url: line.url, body: line.body };
}

function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : null;
  } catch {
    return null;
  }
}
