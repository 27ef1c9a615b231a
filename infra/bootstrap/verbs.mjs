const vitest = 'node_modules/vitest/vitest.mjs';

/**
 * What each `npm run` verb runs, as arguments to Node, relative to the project's folder.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const verbs = {
  start: ['services/cli/main.ts', 'start'],
  // On given servers, each alone.
  'start:proxy': ['services/proxy/main.ts'],
  'start:ledger': ['services/ledger/main.ts'],
  'start:api': ['services/api/main.ts'],
  'start:simulator': ['services/simulator/main.ts'],
  turnpike: ['services/cli/main.ts'],
  // Watching starts the whole product again; the watcher waits until the old one has drained.
  dev: ['--watch', '--watch-preserve-output', '--watch-path=services', '--watch-path=schema', 'services/cli/main.ts', 'start'],
  'db:migrate': ['services/cli/main.ts', 'migrate'],
  gen: ['codegen.ts'],
  'gen:prices': ['services/pricing/import-catalogue.ts'],
  check: ['infra/bootstrap/check.mjs'],
  test: ['infra/bootstrap/test.mjs'],
  'test:unit': [vitest, 'run', '--project', 'unit'],
  'test:db': [vitest, 'run', '--project', 'db'],
  'test:kafka': [vitest, 'run', '--project', 'kafka'],
  'test:e2e': [vitest, 'run', '--project', 'e2e*'],
  'test:chaos': [vitest, 'run', '--project', 'chaos'],
  bench: ['test/bench/main.ts'],
  chaos: ['test/chaos/main.ts'],
  sim: ['test/simulation/main.ts'],
};
