import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KafkaRuntime } from './kafka-runtime.ts';

/**
 * A process of its own that holds one broker and outlives its test by a moment: when the test lets go of it, or ends, by itself
 * or by SIGKILL, the IPC channel closes, the JVM is killed and its folder removed. Started by kafka-broker.ts, which says what to
 * do: `format`, `start`, `stop` (as an operator does, with SIGTERM), `kill` (SIGKILL), `freeze` and `thaw`. Each is answered with its problem, or null.
 */
const [folder = '', runtimeText = '', port = ''] = process.argv.slice(2);
if (folder === '' || port === '') throw new Error('expected the folder, the runtime and the port of a broker');
const runtime: KafkaRuntime = JSON.parse(runtimeText);
const properties = join(folder, 'server.properties');
const container = `turnpike-test-kafka-${process.pid}`;
/** The server compiles little in the seconds it lives; C1 alone leaves the cores to the tests. */
const jvmOptions = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', '-Xshare:auto'];

let broker: ChildProcess | null = null;
let ending = false;

function jvm(...args: readonly string[]): ChildProcess {
  const javaArgs = [...jvmOptions, '-cp', runtime.classpath, ...args];
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  // A process group of its own: a Ctrl-C ends the run first, and the broker when the run is over.
  if (runtime.kind === 'java') return spawn(runtime.java, javaArgs, { stdio, detached: true });
  const user = `${process.getuid?.()}:${process.getgid?.()}`;
  const place = ['--user', user, '-v', `${folder}:${folder}`, '-p', `127.0.0.1:${port}:${port}`, '--name', container];
  return spawn('docker', ['run', '--rm', ...place, '--entrypoint', 'java', runtime.image, ...javaArgs], { stdio, detached: true });
}

async function format(...given: readonly string[]): Promise<void> {
  const tool = jvm('kafka.tools.StorageTool', 'format', '-c', properties, '--standalone', ...given);
  let said = '';
  for (const stream of [tool.stdout, tool.stderr]) stream?.on('data', (chunk) => (said += String(chunk)));
  const [code] = await once(tool, 'close');
  if (code !== 0) throw new Error(`the storage could not be formatted: ${said}`);
}

function start(): void {
  const starting = jvm('kafka.Kafka', properties);
  const output = createWriteStream(join(folder, 'broker.log'), { flags: 'a' });
  starting.stdout?.pipe(output, { end: false });
  starting.stderr?.pipe(output, { end: false });
  starting.once('exit', () => {
    output.end();
    if (broker === starting) broker = null;
  });
  broker = starting;
}

async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const running = broker;
  if (running === null) return;
  const exited = once(running, 'exit');
  send(running, signal);
  await exited;
}

function send(running: ChildProcess | null, signal: NodeJS.Signals): void {
  if (running === null) return;
  // A signal to the client of Docker would not reach the container as it is.
  if (runtime.kind === 'docker') spawnSync('docker', ['kill', '--signal', signal, container]);
  else running.kill(signal);
}

async function leave(exitCode: number): Promise<void> {
  if (ending) return;
  ending = true;
  await end('SIGKILL');
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  process.exit(exitCode);
}

const deeds: Readonly<Record<string, (...given: readonly string[]) => void | Promise<void>>> = {
  format,
  start,
  stop: () => end('SIGTERM'),
  kill: () => end('SIGKILL'),
  freeze: () => send(broker, 'SIGSTOP'),
  thaw: () => send(broker, 'SIGCONT'),
};

process.on('message', (message) => {
  const [deed = '', ...given] = Array.isArray(message) ? message.map(String) : [];
  Promise.resolve()
    .then(() => deeds[deed]?.(...given))
    .then(() => process.send?.(null))
    .catch((error: unknown) => process.send?.(error instanceof Error ? error.message : String(error)));
});
process.on('disconnect', () => void leave(0));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void leave(0));
await chmod(folder, 0o755);
if (!process.connected) await leave(0);
