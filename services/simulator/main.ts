import { runProcess } from '../runtime/boot.ts';
import { listenRefusal } from '../runtime/listen-refusal.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { readScenario } from './scenario/read-scenario.ts';
import { createSimulator } from './server.ts';

runProcess({
  name: 'simulator',
  start: async ({ environment, clock }) => {
    const metrics = createMetrics({ process: 'simulator' });
    const { host, simulatorPort, simulatorScenarioPath } = environment;
    const scenario = simulatorScenarioPath === null ? {} : { scenario: await readScenario(simulatorScenarioPath) };
    const simulator = createSimulator({ clock, runtimeMetrics: () => metrics.metrics(), ...scenario });
    const { port } = await simulator.listen({ host, port: simulatorPort }).catch((error: unknown) => {
      throw listenRefusal(error, { variable: 'TURNPIKE_SIM_PORT', host, port: simulatorPort });
    });
    return {
      addresses: { http: `http://${host.includes(':') ? `[${host}]` : host}:${port}` },
      stop: async (hurry) => {
        hurry.addEventListener('abort', () => simulator.close(0), { once: true });
        await simulator.close();
      },
    };
  },
});
