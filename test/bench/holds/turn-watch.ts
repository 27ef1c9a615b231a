import { constants, PerformanceObserver } from 'node:perf_hooks';

/** The turns of the event loop while they were watched, in milliseconds. CPU is that of all threads of the process. */
export interface WatchedTurns {
  readonly turns: number;
  readonly longestMs: number;
  readonly longestCpuMs: number;
  /** Of those in which no collection of the whole heap was at work. */
  readonly longestCpuWithoutFullMs: number;
  /** Collection of what is young. */
  readonly longestYoungMs: number;
}

interface Span {
  readonly at: number;
  readonly ms: number;
}

/** Shorter turns are counted and not kept. */
const KEPT_MS = 0.5;
/** Entries of collections are told a little later. */
const TOLD_AFTER_MS = 50;

/** Watches the event loop of this process until the returned function is called. */
export function watchTurns(): () => Promise<WatchedTurns> {
  const kept: (Span & { readonly cpuMs: number })[] = [];
  const young: Span[] = [];
  const full: Span[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) (isYoung(entry) ? young : full).push({ at: entry.startTime, ms: entry.duration });
  });
  observer.observe({ entryTypes: ['gc'] });
  let turns = 0;
  let watching = true;
  let at = performance.now();
  let cpu = process.cpuUsage();
  const turn = (): void => {
    const { user, system } = process.cpuUsage(cpu);
    const cpuMs = (user + system) / 1_000;
    const ms = performance.now() - at;
    if (ms >= KEPT_MS || cpuMs >= KEPT_MS) kept.push({ at, ms, cpuMs });
    turns += 1;
    at = performance.now();
    cpu = process.cpuUsage();
    if (watching) setImmediate(turn);
  };
  setImmediate(turn);
  return async () => {
    watching = false;
    await new Promise((resolve) => setTimeout(resolve, TOLD_AFTER_MS));
    observer.disconnect();
    const withoutFull = kept.filter((one) => !full.some((other) => overlap(one, other)));
    return {
      turns,
      longestMs: longest(kept.map(({ ms }) => ms)),
      longestCpuMs: longest(kept.map(({ cpuMs }) => cpuMs)),
      longestCpuWithoutFullMs: longest(withoutFull.map(({ cpuMs }) => cpuMs)),
      longestYoungMs: longest(young.map(({ ms }) => ms)),
    };
  };
}

function isYoung(entry: object): boolean {
  const detail = 'detail' in entry ? entry.detail : null;
  return typeof detail === 'object' && detail !== null && 'kind' in detail && detail.kind === constants.NODE_PERFORMANCE_GC_MINOR;
}

function overlap(one: Span, other: Span): boolean {
  return one.at < other.at + other.ms && other.at < one.at + one.ms;
}

function longest(all: readonly number[]): number {
  return Math.max(0, ...all);
}
