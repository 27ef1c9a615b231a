import { runProcess } from '../runtime/boot.ts';
import { listenRefusal } from '../runtime/listen-refusal.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { createSimulator } from './server.ts';

runProcess({
  name: 'simulator',
  start: async ({ environment, clock }) => {
    const metrics = createMetrics({ process: 'simulator' });
    const simulator = createSimulator({ clock, runtimeMetrics: () => metrics.metrics() });
    const { host, simulatorPort } = environment;
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
