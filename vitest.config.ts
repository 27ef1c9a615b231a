import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/harness/longest-first.ts';

const resolve = {
  alias: [
    // Vite would take graphql's `module` entry for our files while Node takes `main` for packages: two copies, which graphql refuses.
    { find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) },
    { find: /^fast-check$/, replacement: fileURLToPath(new URL('test/harness/seeded-fast-check.ts', import.meta.url)) },
  ],
};

/** One more than cores: the chaos run takes one for its three minutes and half a core, and others wait too for what they test. */
const workers = availableParallelism() + 1;
/** Of files that each bring up the whole product, or brokers, which take seconds to start and half a gigabyte to run. */
const largeWorkers = 2;
/** Measure how quick the product is under a load that takes most of two cores. */
const measuring = ['test/e2e/visibility.test.ts'];

/**
 * Five tiers, told apart by name and place alone:
 * - `unit`: neither PostgreSQL nor Kafka; anything under test/ that is in none of the others.
 * - `chaos`: `*.chaos.test.ts`, many processes on a Kafka and a PostgreSQL of their own, with faults on purpose.
 * - `db`: `*.db.test.ts`, whatever needs PostgreSQL (test/harness/postgres.ts).
 * - `e2e`: test/e2e, the product as a user meets it, in processes of its own; `e2e-alone` what measures it, with nothing beside it.
 * - `kafka`: `*.kafka.test.ts`, whatever needs Kafka (test/harness/kafka.ts), some of it PostgreSQL too.
 *
 * Those of one group order run side by side, the longest files first, and the groups one after the other. The chaos run is one file
 * that takes three minutes and half a core; `unit` and `db` go on beside it. No other test may rely on having the machine to itself.
 */
export default defineConfig({
  test: {
    globalSetup: ['test/harness/compile-cache.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        resolve,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.db.test.ts', 'test/**/*.kafka.test.ts', 'test/**/*.chaos.test.ts', 'test/e2e/**', 'test/fixtures/**'],
          sequence: { groupOrder: 0 },
          maxWorkers: workers,
          testTimeout: 60_000,
        },
      },
      {
        resolve,
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.chaos.test.ts'],
          sequence: { groupOrder: 0 },
          maxWorkers: workers,
        },
      },
      {
        resolve,
        test: {
          name: 'db',
          include: ['test/**/*.db.test.ts'],
          globalSetup: ['test/harness/postgres-server.ts'],
          exclude: ['test/e2e/**', 'test/fixtures/**'],
          sequence: { groupOrder: 0 },
          maxWorkers: workers,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        resolve,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: measuring,
          sequence: { groupOrder: 1 },
          maxWorkers: largeWorkers,
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
      {
        resolve,
        test: {
          name: 'kafka',
          include: ['test/**/*.kafka.test.ts'],
          globalSetup: ['test/harness/kafka-server.ts', 'test/harness/postgres-server.ts'],
          exclude: ['test/e2e/**', 'test/fixtures/**'],
          sequence: { groupOrder: 1 },
          maxWorkers: largeWorkers,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        resolve,
        test: {
          name: 'e2e-alone',
          include: measuring,
          sequence: { groupOrder: 2 },
          maxWorkers: 1,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
