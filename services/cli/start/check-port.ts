import { createServer } from 'node:net';
import { type ListenTarget, listenRefusal } from '../../runtime/listen-refusal.ts';

/**
 * Looks whether a port is free before anything is started, so that the answer comes in milliseconds. The child that listens on
 * it still has the last word.
 * @throws StartRefusal naming the variable to set.
 */
export async function checkPort(target: ListenTarget): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: target.host, port: target.port, exclusive: true }, resolve);
    });
  } catch (error) {
    throw listenRefusal(error, target);
  }
  await new Promise((resolve) => server.close(resolve));
}
