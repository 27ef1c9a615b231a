import { setTimeout as wait } from 'node:timers/promises';
import { readTreeUsage } from '../process-usage.ts';
import type { ExpectedAnswer, Target } from './target.ts';

/** Another gateway that speaks OpenAI's protocol and that somebody else has started. */
export interface PeerSettings {
  /** Base URL, as it would be given to an SDK: `http://127.0.0.1:8080/v1`. */
  readonly url: URL;
  readonly name: string;
  /** What it calls the model that it has at the upstream of the benchmark. */
  readonly model: string;
  /** Sent as a bearer token; null = no key is sent. */
  readonly key: string | null;
  /** The process whose CPU is counted, with its descendants; null = it is not counted. */
  readonly pid: number | null;
  /** Where the upstream listens, so that the peer can be pointed there before the benchmark starts. */
  readonly upstreamPort: number;
  /** How long it may take until it answers as expected. */
  readonly waitMs: number;
}

/** A peer that has answered as expected, and how its answer differs from the provider's. */
export type Peer = Target & {
  /** In words, for the report; empty = to the byte the same. */
  readonly differences: readonly string[];
};

/** The message is a sentence for who started the benchmark. */
export class PeerNotReady extends Error {
  override readonly name = 'PeerNotReady';
}

const answerTimeoutMs = 10_000;
const askAgainMs = 500;

/**
 * Waits until the peer answers the request with 200 and the provider's very words.
 * @param upstream what it has to be configured for; its answer is what is expected.
 * @param onProgress told why it is not ready, whenever the reason changes.
 * @throws {PeerNotReady} with the last reason, when its time is up.
 */
export async function connectPeer(settings: PeerSettings, upstream: Target, onProgress: (line: string) => void): Promise<Peer> {
  const { url, name, model, key, pid } = settings;
  const asked: unknown = JSON.parse(upstream.request.body);
  const request = {
    origin: url.origin,
    path: `${url.pathname.replace(/\/+$/, '')}/chat/completions`,
    headers: { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ ...(typeof asked === 'object' ? asked : {}), model }),
  };
  const provided = upstream.expected.expectedBody ?? '';
  const endMs = performance.now() + settings.waitMs;
  let told = '';
  for (;;) {
    const { body, problem } = await ask(request, provided);
    if (problem === null) {
      const differences = differencesOf(body, provided);
      const expected: ExpectedAnswer =
        differences.length === 0 ? upstream.expected : { expectedBody: null, expectedText: contentInJson(contentOf(provided)) };
      const usage = pid === null ? null : () => readTreeUsage(pid);
      // It was started by somebody else, who also ends it; nor has it books that could be held against what it was sent.
      return { name, request, expected, usage, differences, settle: async () => null, stop: async () => {} };
    }
    if (performance.now() > endMs) throw new PeerNotReady(`${name} at ${request.origin}${request.path} is not ready: ${problem}`);
    if (problem !== told) onProgress(`waiting for ${name}: ${problem}`);
    told = problem;
    await wait(askAgainMs);
  }
}

async function ask(request: Target['request'], provided: string): Promise<{ readonly body: string; readonly problem: string | null }> {
  const { origin, path, headers, body } = request;
  try {
    const response = await fetch(origin + path, { method: 'POST', headers, body, signal: AbortSignal.timeout(answerTimeoutMs) });
    const answered = await response.text();
    // Of what it says no more than its status: an answer may repeat the key.
    if (response.status !== 200) return { body: answered, problem: `it answers with status ${response.status}` };
    const same = contentOf(answered) !== null && contentOf(answered) === contentOf(provided);
    return { body: answered, problem: same ? null : "it answers with something else than the upstream's words; is it pointed there?" };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { body: '', problem: `it cannot be reached (${cause instanceof Error ? cause.message : String(cause)})` };
  }
}

/** How an answer of the same words is not the provider's. */
function differencesOf(answered: string, provided: string): string[] {
  if (answered === provided) return [];
  const [theirs, ours] = [objectOf(answered), objectOf(provided)];
  const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].sort();
  const changed = names.filter((name) => JSON.stringify(theirs[name]) !== JSON.stringify(ours[name]));
  if (changed.length === 0) return ['it writes the answer anew: the same members, other bytes'];
  const word = (name: string): string => (!(name in theirs) ? `leaves out ${name}` : name in ours ? `changes ${name}` : `adds ${name}`);
  return [`it writes the answer anew: ${changed.map(word).join(', ')}`];
}

/** The answer's words, or null where it has none. */
function contentOf(body: string): string | null {
  const { choices } = objectOf(body);
  const first: unknown = Array.isArray(choices) ? choices[0] : null;
  const message = isObject(first) ? first.message : null;
  return isObject(message) && typeof message.content === 'string' ? message.content : null;
}

/** As it stands inside a JSON text, whatever is around it. */
function contentInJson(content: string | null): string | null {
  return content === null ? null : JSON.stringify(content).slice(1, -1);
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
