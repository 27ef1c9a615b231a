import { presentedSecret } from '../credential.ts';
import type { Endpoint, Exchange, SimulatorState } from '../endpoint.ts';
import { sendFailure, sendJson } from '../endpoint.ts';
import { failure, invalidRequest } from '../failures.ts';
import type { KeptFile } from '../kept-files.ts';

const path = '/v1/files';
const contentSuffix = '/content';

/** `POST /v1/files`, `GET /v1/files`: uploads, and what the credential has uploaded. */
export function filesEndpoint(state: SimulatorState): Endpoint {
  const upload = async ({ request, response, body }: Exchange): Promise<void> => {
    const form = await new Response(new Uint8Array(body), {
      headers: { 'content-type': request.headers['content-type'] ?? '' },
    }).formData();
    const file = form.get('file');
    const purpose = form.get('purpose');
    if (!(file instanceof File)) return sendFailure(response, invalidRequest("'file' is a required property", 'file'));
    if (typeof purpose !== 'string') return sendFailure(response, invalidRequest("'purpose' is a required property", 'purpose'));
    const kept = state.files.add(ownerOf(state, request.headers), file.name, purpose, Buffer.from(await file.arrayBuffer()));
    sendJson(response, 200, kept.object);
  };
  return {
    path,
    handlers: {
      POST: (exchange) => {
        state.received.remember(exchange.request, exchange.body);
        upload(exchange).catch(() => sendFailure(exchange.response, invalidRequest('The form cannot be read.', null)));
      },
      GET: ({ request, response }) => {
        const data = state.files.of(ownerOf(state, request.headers)).map(({ object }) => object);
        sendJson(response, 200, { object: 'list', data, has_more: false });
      },
    },
  };
}

/** `GET` and `DELETE /v1/files/{id}`, `GET /v1/files/{id}/content`: of who uploaded it. */
export function fileEndpoint(state: SimulatorState): Endpoint {
  const withFile = (serve: (exchange: Exchange, file: KeptFile, wantsContent: boolean) => void) => (exchange: Exchange) => {
    const rest = exchange.url.pathname.slice(path.length + 1);
    const wantsContent = rest.endsWith(contentSuffix);
    const id = wantsContent ? rest.slice(0, -contentSuffix.length) : rest;
    const file = state.files.find(ownerOf(state, exchange.request.headers), id);
    if (file !== null) return serve(exchange, file, wantsContent);
    const error = { message: `No such File object: ${id}`, type: 'invalid_request_error', param: 'id', code: null };
    sendFailure(exchange.response, failure(404, error));
  };
  return {
    path: `${path}/*`,
    handlers: {
      GET: withFile(({ response }, { object, content }, wantsContent) => {
        if (!wantsContent) return sendJson(response, 200, object);
        response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': content.length });
        response.end(content);
      }),
      DELETE: withFile(({ response }, { object: { id }, owner }) => {
        state.files.delete(owner, id);
        sendJson(response, 200, { id, object: 'file', deleted: true });
      }),
    },
  };
}

/** Whose files a request sees. */
export function ownerOf(state: SimulatorState, headers: Exchange['request']['headers']): string {
  return state.nameCredential(presentedSecret(headers));
}
