import type { RequestSettled } from '../../schema/events/request-settled.v1.ts';
import type { TestProxy } from '../harness/proxy.ts';
import { startProxy, testModel } from '../harness/proxy.ts';
import type { RunningSimulator } from '../harness/simulator.ts';
import { startSimulator } from '../harness/simulator.ts';

/** A proxy in front of the simulated provider, as `sim` in OpenAI's dialect and as `claude` in Anthropic's, for clients that know of none of it. */
export interface SimulatedWorld {
  readonly proxy: TestProxy;
  readonly simulator: RunningSimulator;
  /** Whatever a client is to send with. */
  readonly fetch: typeof fetch;
  /** The entry of what that sent last. */
  readonly lastEvent: () => Promise<RequestSettled>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

export async function startSimulatedWorld(): Promise<SimulatedWorld> {
  const simulator = await startSimulator();
  const models = ['echo', 'tools-parallel', 'reasoning', 'truncated', 'error-mid'];
  const proxy = await startProxy({
    providers: { sim: simulator.baseUrl, claude: simulator.url },
    protocols: { claude: 'anthropic' },
    models: models.flatMap((model) => [testModel(`sim/${model}`), testModel(`claude/${model}`)]),
  });
  let requestId: string | null = null;
  return {
    proxy,
    simulator,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      requestId = response.headers.get('x-request-id');
      return response;
    },
    lastEvent: () => proxy.eventOf(requestId),
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
    },
  };
}
