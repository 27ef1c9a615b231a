import OpenAI from 'openai';
import type { Endpoints } from '../../services/cli/start/endpoints.ts';

/** What an application got for one request, as far as it can be held against the ledger. */
export type Answer = {
  readonly index: number;
  /** Of the answer, or of the error it ended in; null where the connection broke first. */
  readonly requestId: string | null;
  readonly kind: 'answered' | 'failed' | 'left';
  /** What `x-turnpike-cost-usd` said. */
  readonly costUsd: string | null;
  readonly usage: OpenAI.CompletionUsage | null;
  readonly text: string;
  readonly expectedText: string | null;
  readonly error: unknown;
};

type Shape = {
  readonly model: string;
  readonly stream: boolean;
  /** Only whoever asks gets usage in a stream. */
  readonly includeUsage?: boolean;
  /** How the simulator behaves beyond its model. */
  readonly simulator?: string;
  readonly tools?: boolean;
  /** The application goes away: after so many chunks, or so many milliseconds after asking. */
  readonly leaves?: { readonly afterChunks: number } | { readonly afterMs: number };
  /** What goes wrong is the point: the client does not try again. */
  readonly fails?: boolean;
};

const refusals = ['error-500', 'error-429', 'error-400', 'error-503', 'error-html', 'error-context', 'error-empty'];
const breaks = ['disconnect', 'disconnect-mid', 'end-early', 'error-mid', 'malformed'];
const specials = ['tools', 'cache-write', 'audio', 'cached', 'reasoning'];

/** Twenty requests of a day, over and over: most of them plain, a third of them trouble. */
function shapeOf(index: number): Shape {
  const turn = Math.floor(index / 20);
  const pick = (names: readonly string[]): string => names[turn % names.length] ?? 'echo';
  switch (index % 20) {
    case 11:
    case 19:
      return { model: pick(specials), stream: false, tools: true };
    case 12:
      return { model: pick(specials), stream: true, includeUsage: turn % 2 === 0, tools: true };
    case 13:
      return { model: 'flaky', stream: false };
    case 14:
      return { model: 'flaky', stream: true };
    case 15:
      return { model: pick(refusals), stream: turn % 2 === 0, fails: true };
    case 16:
      return { model: pick(breaks), stream: turn % 3 !== 0, fails: true };
    case 17:
      return { model: 'echo', stream: true, simulator: 'token-ms=2; tokens=60', leaves: { afterChunks: 3 } };
    case 18:
      return { model: 'echo', stream: turn % 2 === 0, simulator: 'ttft-ms=150; tokens=20', leaves: { afterMs: 40 } };
    default:
      return { model: 'echo', stream: index % 2 === 0, includeUsage: index % 4 === 0 };
  }
}

const tools: OpenAI.ChatCompletionTool[] = [
  {
    type: 'function',
    function: { name: 'look_up', parameters: { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] } },
  },
];

/**
 * The official client against the product.
 * @param maxRetries a kill of the proxy costs a second or two: by default it tries again for longer than that.
 */
export function createTraffic(endpoints: Endpoints, maxRetries = 6): { readonly send: (index: number) => Promise<Answer> } {
  const client = new OpenAI({
    baseURL: endpoints.proxyUrl,
    apiKey: endpoints.demoKey,
    maxRetries,
    timeout: 30_000,
    // It would print each broken event; they are broken on purpose.
    logLevel: 'off',
  });
  return { send: (index) => send(client, index) };
}

async function send(client: OpenAI, index: number): Promise<Answer> {
  const shape = shapeOf(index);
  const text = `request ${index} says what it has to say`;
  const leaving = new AbortController();
  const common = {
    model: `sim/${shape.model}`,
    messages: [{ role: 'user' as const, content: text }],
    ...(shape.tools ? { tools } : {}),
    ...(shape.simulator === undefined ? {} : { metadata: { simulator: shape.simulator } }),
  };
  const options = { signal: leaving.signal, ...(shape.fails ? { maxRetries: 0 } : {}) };
  const departure =
    shape.leaves !== undefined && 'afterMs' in shape.leaves ? setTimeout(() => leaving.abort(), shape.leaves.afterMs) : null;
  const expectedText = shape.model === 'echo' && shape.simulator === undefined ? text : null;
  const answer = { index, costUsd: null, usage: null, text: '', expectedText, error: null } as const;
  let requestId: string | null = null;
  try {
    if (!shape.stream) {
      const { data, response } = await client.chat.completions.create(common, options).withResponse();
      requestId = response.headers.get('x-request-id');
      const costUsd = response.headers.get('x-turnpike-cost-usd');
      return { ...answer, requestId, kind: 'answered', costUsd, usage: data.usage ?? null, text: data.choices[0]?.message.content ?? '' };
    }
    const streamOptions = shape.includeUsage ? { stream_options: { include_usage: true } } : {};
    const { data, response } = await client.chat.completions.create({ ...common, ...streamOptions, stream: true }, options).withResponse();
    requestId = response.headers.get('x-request-id');
    let said = '';
    let chunks = 0;
    let usage: OpenAI.CompletionUsage | null = null;
    let finished = false;
    for await (const chunk of data) {
      said += chunk.choices[0]?.delta.content ?? '';
      finished ||= chunk.choices[0]?.finish_reason != null;
      usage = chunk.usage ?? usage;
      chunks += 1;
      // Leaving the loop aborts the request, as an application does that has seen enough.
      if (shape.leaves !== undefined && 'afterChunks' in shape.leaves && chunks >= shape.leaves.afterChunks) break;
    }
    const kind = shape.leaves === undefined ? 'answered' : 'left';
    if (kind === 'answered' && !finished)
      return { ...answer, requestId, kind: 'failed', error: new Error('the stream ended without a finish_reason') };
    return { ...answer, requestId, kind, usage, text: said };
  } catch (error) {
    if (error instanceof OpenAI.APIUserAbortError) return { ...answer, requestId, kind: 'left', error };
    const told = error instanceof OpenAI.APIError ? (error.headers?.get('x-request-id') ?? null) : null;
    return { ...answer, requestId: requestId ?? told, kind: 'failed', error };
  } finally {
    if (departure !== null) clearTimeout(departure);
  }
}
