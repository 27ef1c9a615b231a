import type { BenchProcess } from './bench-process.ts';
import { startBenchProcess } from './bench-process.ts';
import type { LoadJob, LoadResult } from './load/load-job.ts';
import { parseLoadResult } from './load/load-job.ts';
import type { Target } from './targets/target.ts';

/** One stretch of load on one target. */
export type Measurement = LoadResult & {
  readonly target: string;
  readonly requestsPerSecond: number;
  /** CPU of the measured processes per request, until everything was accounted for; null for a target without one. */
  readonly cpuUsPerRequest: number | null;
  readonly residentBytes: number | null;
  readonly problems: readonly string[];
};

export type LoadShape = Pick<LoadJob, 'connections' | 'durationMs' | 'ratePerSecond' | 'sleeps' | 'notesAnswers'>;

const expectedStatus = 200;
/** On top of the load's own length: answers that are late, and the ledger's. */
const graceMs = 90_000;

/** The process that load comes from. */
export function startLoadGenerator(): Promise<BenchProcess> {
  return startBenchProcess(new URL('./load/load-generator.ts', import.meta.url), 'rest');
}

/** Puts targets under load, and counts what each was sent so that its books can be held against it. */
export function createMeter(generator: BenchProcess): (target: Target, shape: LoadShape) => Promise<Measurement> {
  const sent = new Map<Target, number>();
  return async (target, shape) => {
    const before = (await target.usage?.()) ?? null;
    const load = parseLoadResult(
      await generator.ask({ ...target.request, ...target.expected, ...shape, expectedStatus }, shape.durationMs + graceMs),
    );
    sent.set(target, (sent.get(target) ?? 0) + load.requests);
    // What is done after the answers (shipping events) belongs to the price of a request.
    const missing = await target.settle(sent.get(target) ?? 0);
    const after = (await target.usage?.()) ?? null;
    const wrong = load.unexpected === 0 ? null : `${load.unexpected} of ${load.requests} answers not as expected: ${load.firstUnexpected}`;
    return {
      ...load,
      target: target.name,
      requestsPerSecond: (load.requests * 1_000) / load.elapsedMs,
      cpuUsPerRequest: before === null || after === null ? null : (after.cpuUs - before.cpuUs) / load.requests,
      residentBytes: after?.residentBytes ?? null,
      problems: [wrong, missing].flatMap((problem) => (problem === null ? [] : [`${target.name}: ${problem}`])),
    };
  };
}
