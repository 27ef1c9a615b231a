import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';

/** A request as the upstream received it. */
export type UpstreamRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

/** Answers one request, by hand: whatever HTTP can do, a script can. */
export type UpstreamScript = (response: ServerResponse, request: UpstreamRequest) => void | Promise<void>;

export type ScriptedUpstream = {
  readonly baseUrl: string;
  readonly requests: UpstreamRequest[];
  /** What the next requests are answered with. */
  script: UpstreamScript;
  /** Connections open now. */
  readonly connections: () => number;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** A provider whose every byte the test decides, on a real socket. */
export async function startScriptedUpstream(
  script: UpstreamScript = (response) => answerJson(response, completion()),
): Promise<ScriptedUpstream> {
  let open = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      upstream.requests.push(received);
      void upstream.script(response, received);
    });
    request.on('error', () => {});
    response.on('error', () => {});
  });
  server.on('connection', (socket) => {
    open += 1;
    socket.on('close', () => {
      open -= 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const upstream: ScriptedUpstream = {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests: [],
    script,
    connections: () => open,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return upstream;
}

const usageOf = (prompt: number, completionTokens: number): Record<string, unknown> => ({
  prompt_tokens: prompt,
  completion_tokens: completionTokens,
  total_tokens: prompt + completionTokens,
});

/** A whole chat completion. */
export function completion(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'upstream-model-2026',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop', logprobs: null }],
    usage: usageOf(10, 5),
    ...fields,
  };
}

export function answerJson(response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, ...headers });
  response.end(bytes);
}

/** One chunk of a stream as an event. */
export function chunkEvent(fields: Record<string, unknown>): string {
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'upstream-model-2026', ...fields })}\n\n`;
}

export function textEvent(content: string, finishReason: string | null = null): string {
  return chunkEvent({ choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: finishReason }] });
}

export const usageEvent = (prompt: number, completionTokens: number): string =>
  chunkEvent({ choices: [], usage: usageOf(prompt, completionTokens) });

export const DONE = 'data: [DONE]\n\n';

/** The events of an ordinary stream with its usage chunk. */
export const plainStream = (): string[] => [textEvent('Hel'), textEvent('lo'), textEvent('', 'stop'), usageEvent(10, 2), DONE];

export function openStream(response: ServerResponse, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', ...headers });
}

/** Streams the events at once and ends. */
export function answerStream(response: ServerResponse, events: readonly string[]): void {
  openStream(response);
  for (const event of events) response.write(event);
  response.end();
}
