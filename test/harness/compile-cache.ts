import { fileURLToPath } from 'node:url';

/**
 * vitest's global setup of every tier: one folder where Node keeps compiled modules, for all processes of a run and the runs after it.
 * The tests start some hundreds of processes, each of one to three thousand modules: with what an earlier one compiled they take half
 * the CPU time. What is kept for a file that changed is of no use to Node, and is replaced.
 */
export function setup(): void {
  process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../../.cache/compiled-modules', import.meta.url));
}
