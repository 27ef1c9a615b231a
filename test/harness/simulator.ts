import type { Clock } from '../../services/runtime/clock.ts';
import type { ScenarioDocument } from '../../services/simulator/scenario/scenario-document.ts';
import type { Simulator } from '../../services/simulator/server.ts';
import { createSimulator } from '../../services/simulator/server.ts';

export type RunningSimulator = {
  readonly simulator: Simulator;
  /** Without a path: `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** For an OpenAI client: `<url>/v1`. */
  readonly baseUrl: string;
  /** Cuts what is under way: a test that leaves a stall open need not wait for it. */
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** A simulated provider in this process on a free port, for `await using`. */
export async function startSimulator(
  options: { readonly seed?: number; readonly clock?: Clock; readonly scenario?: ScenarioDocument } = {},
): Promise<RunningSimulator> {
  const simulator = createSimulator(options);
  const { port } = await simulator.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${port}`;
  return { simulator, url, baseUrl: `${url}/v1`, [Symbol.asyncDispose]: () => simulator.close(0) };
}
