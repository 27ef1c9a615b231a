import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { KafkaConfig } from 'kafkajs';
import { Kafka, logLevel } from 'kafkajs';
import { mendKafkajs } from '../../services/eventlog/kafka/mend-kafkajs.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import type { KafkaRuntime } from './kafka-runtime.ts';

/** A broker of one node, controller included, with its data in a folder of its own. */
export interface KafkaBroker {
  /** `host:port` that it answers at; behind a proxy, the proxy's. */
  readonly address: string;
  /** Starts it again on the data it left. */
  start(): Promise<void>;
  /** As an operator does. */
  stop(): Promise<void>;
  /** SIGKILL, in whatever it is doing. */
  kill(): Promise<void>;
  /** SIGSTOP: it is there, and does not answer. */
  freeze(): Promise<void>;
  /** SIGCONT. */
  thaw(): Promise<void>;
  /** Kills it and removes its data. */
  end(): Promise<void>;
}

export interface KafkaBrokerOptions {
  readonly runtime: KafkaRuntime;
  /** Port that clients are told, for a proxy in front of it. Default: its own. */
  readonly advertisedPort?: number;
  /** Port to listen at. Default: a free one. */
  readonly port?: number;
  /** How clients reach it: a security protocol of Kafka's. Default: PLAINTEXT. */
  readonly protocol?: 'PLAINTEXT' | 'SSL' | 'SASL_SSL';
  /** Lines of server.properties, on top of ours. */
  readonly properties?: readonly string[];
  /** Arguments of the storage's formatting, on top of ours. */
  readonly formatArguments?: readonly string[];
  /** What the readiness check needs to get in. */
  readonly entry?: Pick<KafkaConfig, 'sasl' | 'ssl'>;
}

const startDeadlineMs = 180_000;

/** Formats and starts a broker; resolves when it answers. A killed test leaves neither process nor folder. */
export async function startKafkaBroker(options: KafkaBrokerOptions): Promise<KafkaBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'turnpike-kafka-'));
  const port = options.port ?? (await freePort());
  const address = `127.0.0.1:${options.advertisedPort ?? port}`;
  const properties = serverProperties(folder, port, await freePort(), address, options);
  await writeFile(join(folder, 'server.properties'), `${properties.join('\n')}\n`);

  const guardian = fork(
    fileURLToPath(new URL('kafka-guardian.ts', import.meta.url)),
    [folder, JSON.stringify(options.runtime), String(port)],
    { detached: true, execArgv: [] },
  );
  const exited = once(guardian, 'exit');
  const tell = async (...deed: readonly string[]): Promise<void> => {
    guardian.send(deed);
    const [problem] = await Promise.race([once(guardian, 'message'), exited.then(() => ['its guardian ended'])]);
    if (problem !== null) throw new Error(`Kafka: ${problem}`);
  };
  const start = async (): Promise<void> => {
    await tell('start');
    try {
      await eventually(() => answers(`127.0.0.1:${port}`, address, options), startDeadlineMs);
    } catch (error) {
      const said = await readFile(join(folder, 'broker.log'), 'utf8').catch(() => '');
      throw new Error(`Kafka did not start: ${said.slice(-4_000)}`, { cause: error });
    }
  };
  const end = async (): Promise<void> => {
    if (guardian.connected) guardian.disconnect();
    await exited;
  };
  try {
    // With the equals sign, for one id in 64 begins with a dash and would be taken for an option.
    await tell('format', `--cluster-id=${randomBytes(16).toString('base64url')}`, ...(options.formatArguments ?? []));
    await start();
  } catch (error) {
    await end();
    throw error;
  }
  return {
    address,
    start,
    stop: () => tell('stop'),
    kill: () => tell('kill'),
    freeze: () => tell('freeze'),
    thaw: () => tell('thaw'),
    end,
  };
}

function serverProperties(folder: string, port: number, controllerPort: number, address: string, options: KafkaBrokerOptions): string[] {
  // In a container every address must be listened at; the port is published to this machine alone.
  const host = options.runtime.kind === 'docker' ? '0.0.0.0' : '127.0.0.1';
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}`,
    `listeners=CLIENTS://${host}:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=CLIENTS://${address}`,
    `listener.security.protocol.map=CLIENTS:${options.protocol ?? 'PLAINTEXT'},CONTROLLER:PLAINTEXT`,
    'inter.broker.listener.name=CLIENTS',
    'controller.listener.names=CONTROLLER',
    `log.dirs=${join(folder, 'data')}`,
    'auto.create.topics.enable=false',
    'group.initial.rebalance.delay.ms=0',
    'group.min.session.timeout.ms=1000',
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'num.network.threads=2',
    'num.io.threads=4',
    ...(options.properties ?? []),
  ];
}

/** Whether the broker is there and takes part in its cluster. It may accept connections a moment before. */
async function answers(listening: string, address: string, options: KafkaBrokerOptions): Promise<boolean> {
  const [host = '', port = ''] = listening.split(':');
  mendKafkajs();
  const kafka = new Kafka({
    brokers: [address],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    ...options.entry,
    // Past a proxy that a test may have cut.
    ...(listening === address
      ? {}
      : {
          socketFactory: ({ ssl, onConnect }) =>
            ssl ? connectTls({ ...ssl, host, port: Number(port) }, onConnect) : createConnection({ host, port: Number(port) }, onConnect),
        }),
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } finally {
    await admin.disconnect();
  }
}
