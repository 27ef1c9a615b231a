import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';

/**
 * A provider that streams, a process of its own: each answer is the same tokens, one every 20 ms, as chat completion chunks or, below `/messages`, as
 * Anthropic's events. One timer serves all streams, so that it is not the clock of this process that is measured.
 */
const TOKENS = 100;
const PACE_MS = 20;
const words = Array.from({ length: TOKENS }, (_, token) => `token ${token} `);

const chunk = (choices: readonly object[], more: object = {}): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-bench0000000000000000000000',
    object: 'chat.completion.chunk',
    created: 1_795_000_000,
    model: 'echo',
    service_tier: 'default',
    system_fingerprint: 'fp_bench',
    choices,
    ...more,
  })}\n\n`;
const choice = (delta: object, reason: string | null = null): object => ({ index: 0, delta, logprobs: null, finish_reason: reason });
const event = (type: string, fields: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;

const chatUsage = { prompt_tokens: 52, completion_tokens: TOKENS, total_tokens: 52 + TOKENS };
const usage = { input_tokens: 52, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
const message = { id: 'msg_bench', type: 'message', role: 'assistant', model: 'echo', content: [], stop_reason: null, stop_sequence: null };

type Script = { readonly begin: string; readonly tokens: readonly string[]; readonly end: string };
const chat = (usageAsked: boolean): Script => ({
  begin: chunk([choice({ role: 'assistant', content: '', refusal: null })]),
  tokens: words.map((content) => chunk([choice({ content })])),
  end: `${chunk([choice({}, 'stop')])}${usageAsked ? chunk([], { usage: chatUsage }) : ''}data: [DONE]\n\n`,
});
const anthropic: Script = {
  begin:
    event('message_start', { message: { ...message, usage: { ...usage, output_tokens: 1 } } }) +
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  tokens: words.map((text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
  end:
    event('content_block_stop', { index: 0 }) +
    event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { ...usage, output_tokens: TOKENS } }) +
    event('message_stop', {}),
};
const asked = chat(true);
const unasked = chat(false);

type Stream = { readonly response: ServerResponse; readonly script: Script; next: number };
const streams = new Set<Stream>();
setInterval(() => {
  for (const stream of streams) {
    const token = stream.script.tokens[stream.next];
    stream.next += 1;
    if (token !== undefined) stream.response.write(token);
    else {
      stream.response.end(stream.script.end);
      streams.delete(stream);
    }
  }
}, PACE_MS);

const server = createServer({ keepAliveTimeout: 75_000, noDelay: true }, (request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    const spoken = body.includes('"include_usage":true') ? asked : unasked;
    const stream = { response, script: request.url?.endsWith('/messages') === true ? anthropic : spoken, next: 0 };
    response.writeHead(200, ['content-type', 'text/event-stream; charset=utf-8']);
    response.write(stream.script.begin);
    streams.add(stream);
    response.on('close', () => streams.delete(stream));
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
