import { cpus, loadavg } from 'node:os';
import { canPin } from './pinning.ts';

/** What it was measured on, for who compares figures: across machines and days they do not compare. */
export function describeMachine(
  placement = 'The measured process is alone on core 0; upstream, load, ledger, api and PostgreSQL share core 1.',
): readonly string[] {
  const models = cpus();
  const pins = canPin ? placement : 'Processes are not bound to cores (no `taskset`, or one core): expect noise.';
  return [
    `${models.length} × ${models[0]?.model.trim() ?? 'unknown processor'}, Node ${process.versions.node}, load average ${loadavg()[0]?.toFixed(1)} at the end.`,
    pins,
  ];
}
