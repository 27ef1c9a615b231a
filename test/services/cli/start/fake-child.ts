import { createServer } from 'node:http';
import { runProcess } from '../../../../services/runtime/boot.ts';
import { listenRefusal } from '../../../../services/runtime/listen-refusal.ts';
import { StartRefusal } from '../../../../services/runtime/start-refusal.ts';

/**
 * A child of the supervisor that does nothing but listen. Its arguments are a name and a mode: `serve`, `refuse`, `die` (as soon as it is
 * ready) or `slow` (takes 600 ms to stop). `GET /pid` answers with its process number.
 */
const [, , name = 'fake', mode = 'serve'] = process.argv;

runProcess({
  name,
  start: async ({ environment, fail }) => {
    if (mode === 'refuse') throw new StartRefusal(`${name} does not want to`);
    const port = name === 'proxy' ? environment.proxyPort : 0;
    const server = createServer((_request, response) => response.end(String(process.pid)));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenRefusal(error, { variable: 'TURNPIKE_PROXY_PORT', host: environment.host, port })));
      server.listen(port, environment.host, resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    if (mode === 'die') setTimeout(() => fail(new Error('the fuel ran out')), 10);
    return {
      addresses: { http: `http://${environment.host}:${address.port}` },
      stop: async () => {
        if (mode === 'slow') await new Promise((resolve) => setTimeout(resolve, 600));
        console.log(`${name} stopped`);
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
});
