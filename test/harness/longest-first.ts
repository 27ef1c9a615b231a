import { relative } from 'node:path';
import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/** Files that take more than ten seconds on two cores, longest first (whole run of 2026-11-21). */
export const longFiles: readonly string[] = [
  'test/chaos/chaos.chaos.test.ts',
  'test/failpoints/failpoints.db.test.ts',
  'test/e2e/start-stop.test.ts',
  'test/services/eventlog/kafka/faults.kafka.test.ts',
  'test/failpoints/failpoints.kafka.test.ts',
  'test/simulation/seeds.test.ts',
  'test/services/cli/start/supervisor.db.test.ts',
  'test/simulation/mutations/mutations.test.ts',
  'test/cluster/move.kafka.test.ts',
  'test/e2e/main-job.test.ts',
  'test/cluster/cluster.kafka.test.ts',
  'test/cluster/rolling-restart.kafka.test.ts',
  'test/services/ledger/store/postgres-store.db.test.ts',
  'test/services/ledger/ledger-process.db.test.ts',
  'test/failpoints/failure-table.db.test.ts',
  'test/chaos/budget/budget.chaos.test.ts',
  'test/services/eventlog/kafka/conformance.kafka.test.ts',
  'test/services/eventlog/kafka/security.kafka.test.ts',
  'test/leases/exploration/exploration.test.ts',
  'test/services/proxy/budgets/enforcement.db.test.ts',
  'test/services/runtime/await-database.db.test.ts',
  'test/services/proxy/overload.test.ts',
  'test/services/runtime/embedded-postgres.db.test.ts',
  'test/e2e/administration.test.ts',
  'test/services/proxy/tenants.db.test.ts',
  'test/services/proxy/memory.test.ts',
  'test/services/ledger/hostile-events.db.test.ts',
  // It measures what is promised within a second: after the chaos run, which is over by then.
  'test/services/proxy/proxy-process.db.test.ts',
];

const rankOf = new Map(longFiles.map((file, index) => [file, index]));

/**
 * Begins with the longest files of a group, whatever tier they are of, so that none of them runs on alone when the others are done.
 * vitest knows how long a file took only where it ran before, and goes by size where it did not, as in a fresh clone.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = (file: TestSpecification): number => rankOf.get(relative(this.ctx.config.root, file.moduleId)) ?? longFiles.length;
    return (await super.sort(files)).sort((a, b) => groupOf(a) - groupOf(b) || rank(a) - rank(b));
  }
}

function groupOf(file: TestSpecification): number {
  return file.project.config.sequence.groupOrder;
}
