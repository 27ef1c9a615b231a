import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * Vite would take graphql's `module` entry for our files while Node takes `main` for packages: two copies, which graphql refuses.
 */
const resolve = { alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) }] };

/**
 * Five tiers, told apart by name and place alone:
 * - `unit`: neither PostgreSQL nor Kafka; anything under test/ that is in none of the others.
 * - `db`: `*.db.test.ts`, whatever needs PostgreSQL (test/harness/postgres.ts).
 * - `kafka`: `*.kafka.test.ts`, whatever needs Kafka (test/harness/kafka.ts), some of it PostgreSQL too.
 * - `e2e`: test/e2e, the product as a user meets it, in processes of its own.
 * - `chaos`: `*.chaos.test.ts`, many processes on a Kafka and a PostgreSQL of their own, with faults on purpose.
 *
 * They run one after the other, the quick answer first; e2e files also one at a time, since each brings up the whole product.
 */
export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.db.test.ts', 'test/**/*.kafka.test.ts', 'test/**/*.chaos.test.ts', 'test/e2e/**', 'test/fixtures/**'],
          sequence: { groupOrder: 0 },
          testTimeout: 20_000,
        },
      },
      {
        resolve,
        test: {
          name: 'db',
          include: ['test/**/*.db.test.ts'],
          globalSetup: ['test/harness/postgres-server.ts'],
          exclude: ['test/e2e/**', 'test/fixtures/**'],
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve,
        test: {
          name: 'kafka',
          include: ['test/**/*.kafka.test.ts'],
          globalSetup: ['test/harness/kafka-server.ts', 'test/harness/postgres-server.ts'],
          exclude: ['test/e2e/**', 'test/fixtures/**'],
          sequence: { groupOrder: 2 },
          // Brokers of a test's own take seconds to start and half a gigabyte to run.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          sequence: { groupOrder: 3 },
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve,
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.chaos.test.ts'],
          // Last and alone: it keeps both cores busy, and would make what runs beside it late.
          sequence: { groupOrder: 4 },
          fileParallelism: false,
        },
      },
    ],
  },
});
