import type { TestProject } from 'vitest/node';
import { startKafkaBroker } from './kafka-broker.ts';
import type { KafkaRuntime } from './kafka-runtime.ts';
import { findKafkaRuntime, KafkaMissing } from './kafka-runtime.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of the run's brokers, separated by commas; null where there is no Kafka and the tests are skipped. */
    readonly kafkaBrokers: string | null;
    /** How a test starts a broker of its own; null where it cannot. */
    readonly kafkaRuntime: KafkaRuntime | null;
  }
}

/**
 * vitest's global setup of the `kafka` tests: one broker for the run (TURNPIKE_TEST_KAFKA_BROKERS, else one started here).
 * Without any the tests are skipped, saying what to install; with CI=true the run fails, lest it pass for having tested nothing.
 * @returns what takes the broker down again.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TURNPIKE_TEST_KAFKA_BROKERS || null;
  const runtime = await findKafkaRuntime().catch((error: unknown) => {
    if (!(error instanceof KafkaMissing) || process.env.CI === 'true') throw error;
    process.stderr.write(`${given === null ? '' : 'Tests that stop and kill brokers are skipped: '}${error.message}\n`);
    return null;
  });
  const broker = given !== null || runtime === null ? null : await startKafkaBroker({ runtime });
  project.provide('kafkaBrokers', given ?? broker?.address ?? null);
  project.provide('kafkaRuntime', runtime);
  return async () => {
    await broker?.end();
  };
}
