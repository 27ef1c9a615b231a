import { constants, PerformanceObserver } from 'node:perf_hooks';

/** The turns of the event loop while they were watched, in milliseconds. */
export interface WatchedTurns {
  readonly turns: number;
  readonly longestMs: number;
  /** CPU of the event loop's own thread, collections on it included: what holds the loop up. */
  readonly longestOwnMs: number;
  /** Of those in which no collection of the whole heap was at work. */
  readonly longestOwnWithoutFullMs: number;
  /** CPU of all threads of the process: the collector's and the compiler's too, which may share the core. */
  readonly longestCpuMs: number;
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
  const kept: (Span & { readonly cpuMs: number; readonly ownMs: number })[] = [];
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
  let own = process.threadCpuUsage();
  const turn = (): void => {
    const ownMs = milliseconds(process.threadCpuUsage(own));
    const cpuMs = milliseconds(process.cpuUsage(cpu));
    const ms = performance.now() - at;
    if (ms >= KEPT_MS || cpuMs >= KEPT_MS) kept.push({ at, ms, cpuMs, ownMs });
    turns += 1;
    at = performance.now();
    cpu = process.cpuUsage();
    own = process.threadCpuUsage();
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
      longestOwnMs: longest(kept.map(({ ownMs }) => ownMs)),
      longestOwnWithoutFullMs: longest(withoutFull.map(({ ownMs }) => ownMs)),
      longestCpuMs: longest(kept.map(({ cpuMs }) => cpuMs)),
      longestYoungMs: longest(young.map(({ ms }) => ms)),
    };
  };
}

function milliseconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1_000;
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
