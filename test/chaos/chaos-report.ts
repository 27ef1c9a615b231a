import type { Verdict } from '../e2e/judge-account.ts';
import type { Picture } from './draw-report.ts';
import type { FaultDone } from './fault-done.ts';
import type { Sample } from './sampler.ts';

/** What was injected, and what was lost: nothing, or the run has failed. */
export type ChaosReport = {
  readonly seed: number;
  readonly startedAt: string;
  readonly loadMs: number;
  /** From the end of the last fault until everything was in the books and shown. */
  readonly drainMs: number;
  readonly faults: readonly FaultDone[];
  readonly requests: { readonly answered: number; readonly left: number; readonly failed: number; readonly heldBack: number };
  readonly providerCalls: number;
  readonly entries: number;
  readonly found: Omit<Verdict, 'differences' | 'problems'>;
  readonly restarts: Readonly<Record<string, number>>;
  readonly subscriber: { readonly received: number; readonly connections: number; readonly errors: number };
  readonly problems: readonly string[];
  readonly samples: readonly Sample[];
};

/** For a person. */
export function describeReport(report: ChaosReport): string {
  const { requests, found, faults } = report;
  const byKind = Map.groupBy(faults, ({ what, where }) => `${where.replace(/ \d+$/, '')}: ${what}`);
  const worstLagMs = Math.max(0, ...report.samples.map(({ lagMs }) => lagMs));
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  return [
    `Chaos, seed ${report.seed}, begun ${report.startedAt}: ${seconds(report.loadMs)} of load, all in the books ${seconds(report.drainMs)} after it`,
    '',
    `injected: ${faults.filter(({ skipped }) => skipped === null).length} faults`,
    ...[...byKind].sort().map(([kind, those]) => {
      const hits = those.reduce((sum, { hit }) => sum + (hit ?? 0), 0);
      const skipped = those.find((fault) => fault.skipped !== null)?.skipped ?? null;
      const result = skipped !== null ? `skipped: ${skipped}` : `${those.length}${hits > 0 ? `, on ${hits} connections` : ''}`;
      return `  ${kind.padEnd(44)} ${result}`;
    }),
    `started again: ${Object.entries(report.restarts)
      .map(([name, times]) => `${name} ${times}`)
      .join(', ')}`,
    '',
    `load: ${requests.answered} answered, ${requests.left} left by their client, ${requests.failed} failed (some on purpose), ${requests.heldBack} held back`,
    `books: ${report.providerCalls} calls of the provider, ${report.entries} entries: ${found.equal} equal to the token and the pico-dollar,`,
    `  ${found.refused} refused by the provider, ${found.untold} broken off by it, ${found.unheard} whose answer was lost on its way, ${found.orphans} orphans, ${found.uncalled} never called`,
    `subscriber: ${report.subscriber.received} lines over ${report.subscriber.connections} connections, ${report.subscriber.errors} errors`,
    `from an answer to requestTail: at worst ${seconds(worstLagMs)}`,
    '',
    report.problems.length === 0
      ? 'lost: nothing'
      : `PROBLEMS (${report.problems.length}):\n${report.problems.map((one) => `  ${one}`).join('\n')}`,
  ].join('\n');
}

/** What is drawn of it. */
export function pictureOf({ seed, faults, loadMs, samples, problems }: ChaosReport): Picture {
  const verdict = problems.length === 0 ? 'lost: nothing' : `${problems.length} problems`;
  return { title: `chaos, seed ${seed}: ${faults.length} faults in ${Math.round(loadMs / 1_000)} s, ${verdict}`, loadMs, samples, faults };
}
