import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { eventually } from './eventually.ts';
import { ownBrokersAreThere } from './kafka.ts';

describe.skipIf(!ownBrokersAreThere)('a broker of a test', () => {
  test('is gone when its test was killed', { timeout: 120_000 }, async () => {
    const harness = new URL('./kafka-broker.ts', import.meta.url).href;
    const script = `
      const { startKafkaBroker } = await import(${JSON.stringify(harness)});
      const broker = await startKafkaBroker({ runtime: ${JSON.stringify(inject('kafkaRuntime'))} });
      console.log(broker.address);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void holder.kill('SIGKILL'));
    const [said] = await once(holder.stdout, 'data');
    const port = Number(String(said).trim().split(':').at(-1));
    expect(await answers(port)).toBe(true);
    holder.kill('SIGKILL');
    await eventually(async () => !(await answers(port)));
  });
});

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
