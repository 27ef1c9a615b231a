import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const pom = fileURLToPath(new URL('../../infra/kafka/pom.xml', import.meta.url));
/** Maven fetches 45 MB and apt some 250 MB, once; a network that takes longer hangs. */
const fetchDeadlineMs = 10 * 60_000;

/** How the JVM of a broker is run: on this machine, or in a container of Kafka's own image. */
export type KafkaRuntime =
  | { readonly kind: 'java'; readonly java: string; readonly classpath: string }
  | { readonly kind: 'docker'; readonly image: string; readonly classpath: string };

/** Kafka cannot be run here; the message says what to install. */
export class KafkaMissing extends Error {
  override readonly name = 'KafkaMissing';
}

/**
 * Finds a way to run Kafka: Java with the jars of infra/kafka/pom.xml (fetched by Maven into the user's cache; as root on Debian
 * both are installed when missing), else Docker.
 * @throws {KafkaMissing} when there is none.
 */
export async function findKafkaRuntime(): Promise<KafkaRuntime> {
  const version = await kafkaVersion();
  const libraries = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'turnpike', `kafka-${version}`);
  const problems: string[] = [];
  try {
    await needJava(existsSync(libraries));
    if (!existsSync(libraries)) await fetchLibraries(libraries);
    return { kind: 'java', java: 'java', classpath: join(libraries, '*') };
  } catch (error) {
    problems.push(lastLine(error));
  }
  try {
    await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 15_000 });
    return { kind: 'docker', image: `apache/kafka:${version}`, classpath: '/opt/kafka/libs/*' };
  } catch (error) {
    problems.push(lastLine(error));
  }
  throw new KafkaMissing(
    `No Kafka to test against (${problems.join('; ')}). Install Java 17 or newer and Maven (Debian: apt-get install openjdk-17-jre-headless maven; ` +
      'macOS: brew install openjdk maven), or start Docker, or name brokers that may be filled with test topics in TURNPIKE_TEST_KAFKA_BROKERS.',
  );
}

async function kafkaVersion(): Promise<string> {
  const version = /<kafka\.version>([\d.]+)</.exec(await readFile(pom, 'utf8'))?.[1];
  if (version === undefined) throw new Error(`${pom} names no kafka.version`);
  return version;
}

async function needJava(librariesAreThere: boolean): Promise<void> {
  if ((await works('java', '-version')) && (librariesAreThere || (await works('mvn', '-version')))) return;
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) throw new Error('no java and mvn on the path');
  const install = async (): Promise<unknown> =>
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'default-jre-headless', 'maven'], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: fetchDeadlineMs,
      maxBuffer: 64 * 1024 * 1024,
    });
  await install().catch(async () => {
    await run('apt-get', ['update', '-qq'], { timeout: fetchDeadlineMs, maxBuffer: 64 * 1024 * 1024 });
    await install();
  });
}

/** Under another name first: two runs may fetch at once, and a run may be killed in the middle. */
async function fetchLibraries(libraries: string): Promise<void> {
  await mkdir(dirname(libraries), { recursive: true });
  const partial = await mkdtemp(`${libraries}-partial-`);
  try {
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${partial}`, '-DincludeScope=runtime'];
    await run('mvn', ['-q', '-B', '-f', pom, ...goal], { timeout: fetchDeadlineMs, maxBuffer: 64 * 1024 * 1024 });
    await rename(partial, libraries).catch((error: unknown) => {
      if (!existsSync(libraries)) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function works(command: string, argument: string): Promise<boolean> {
  return run(command, [argument], { timeout: 30_000 }).then(
    () => true,
    () => false,
  );
}

function lastLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split('\n').at(-1) ?? text;
}
