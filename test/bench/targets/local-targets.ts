import type { BenchProcess } from '../bench-process.ts';
import { startBenchProcess } from '../bench-process.ts';
import { readProcessUsage } from '../process-usage.ts';
import type { ExpectedAnswer, Target } from './target.ts';

/** A target without books: a process of this folder that announces its port. */
function localTarget(options: {
  readonly name: string;
  readonly helper: BenchProcess;
  readonly body: string;
  readonly expected: ExpectedAnswer;
  readonly measured: boolean;
}): Target {
  const { name, helper, body, expected } = options;
  return {
    name,
    usage: options.measured ? () => readProcessUsage(helper.pid) : null,
    request: {
      origin: originOf(helper),
      path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json', authorization: 'Bearer bench' },
      body,
    },
    expected,
    settle: async () => null,
    stop: helper.stop,
  };
}

/** The upstream itself: what latency is counted from, and whose answer every other target has to pass on. @param port 0 = any. */
export function startUpstream(body: string, port = 0): Promise<Target> {
  return upstreamOf(new URL('./instant-upstream.ts', import.meta.url), body, port);
}

/** The same of one that streams. */
export function startPacedUpstream(body: string): Promise<Target> {
  return upstreamOf(new URL('./paced-upstream.ts', import.meta.url), body, 0);
}

async function upstreamOf(file: URL, body: string, port: number): Promise<Target> {
  const helper = await startBenchProcess(file, 'rest', String(port));
  const asked = { name: 'direct', helper, body, measured: false };
  const { origin, path, headers } = localTarget({ ...asked, expected: { expectedBody: null, expectedText: null } }).request;
  const response = await fetch(origin + path, { method: 'POST', headers, body, signal: AbortSignal.timeout(5_000) });
  return localTarget({ ...asked, expected: { expectedBody: await response.text(), expectedText: null } });
}

/** node:http and `Pool.dispatch`, nothing else. */
export async function startBarePassthrough(upstream: Target): Promise<Target> {
  const { origin, body } = upstream.request;
  const helper = await startBenchProcess(new URL('./bare-passthrough.ts', import.meta.url), 'measured', origin);
  return localTarget({ name: 'bare Node', helper, body, expected: upstream.expected, measured: true });
}

function originOf({ announced }: BenchProcess): string {
  if (typeof announced === 'object' && announced !== null && 'port' in announced && typeof announced.port === 'number')
    return `http://127.0.0.1:${announced.port}`;
  throw new Error(`expected a port, was told ${JSON.stringify(announced)}`);
}
