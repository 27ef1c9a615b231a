import { createServer } from 'node:http';

/**
 * The provider of the benchmark, a process of its own: answers every request with the same bytes of about 1 kB, an OpenAI chat completion with
 * usage, and does nothing else. The simulator would do, but parses, checks and books each request: three times the work on the core that the
 * load comes from.
 */
const answer = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench0000000000000000000000',
    object: 'chat.completion',
    created: 1_795_000_000,
    model: 'echo',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'All that is gold does not glitter. '.repeat(16).trimEnd(), refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: {
      prompt_tokens: 52,
      completion_tokens: 128,
      total_tokens: 180,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
    },
    service_tier: 'default',
    system_fingerprint: 'fp_bench',
  }),
);
const headers = ['content-type', 'application/json', 'content-length', String(answer.byteLength)];

const [port = '0'] = process.argv.slice(2);
const server = createServer({ keepAliveTimeout: 75_000, noDelay: true }, (request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, headers);
    response.end(answer);
  });
});
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
