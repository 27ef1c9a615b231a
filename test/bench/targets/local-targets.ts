import type { BenchProcess } from '../bench-process.ts';
import { startBenchProcess } from '../bench-process.ts';
import type { Target } from './target.ts';

/** A target without books: a process of this folder that announces its port. */
async function startLocal(options: {
  readonly name: string;
  readonly start: () => Promise<BenchProcess>;
  readonly body: string;
  readonly measured: boolean;
}): Promise<Target> {
  const helper = await options.start();
  return {
    name: options.name,
    pid: options.measured ? helper.pid : null,
    request: {
      origin: `http://127.0.0.1:${portOf(helper.announced)}`,
      path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json', authorization: 'Bearer bench' },
      body: options.body,
    },
    settle: async () => null,
    stop: helper.stop,
  };
}

/** The upstream itself: what latency is counted from. */
export function startUpstream(body: string): Promise<Target> {
  return startLocal({
    name: 'direct',
    start: () => startBenchProcess(new URL('./instant-upstream.ts', import.meta.url), 'rest'),
    body,
    measured: false,
  });
}

/** node:http and `Pool.dispatch`, nothing else. */
export function startBarePassthrough(body: string, upstreamOrigin: string): Promise<Target> {
  const start = () => startBenchProcess(new URL('./bare-passthrough.ts', import.meta.url), 'measured', upstreamOrigin);
  return startLocal({ name: 'bare Node', start, body, measured: true });
}

function portOf(announced: unknown): number {
  if (typeof announced === 'object' && announced !== null && 'port' in announced && typeof announced.port === 'number')
    return announced.port;
  throw new Error(`expected a port, was told ${JSON.stringify(announced)}`);
}
