import type { LoadSecond, OpenLoop } from './open-loop.ts';
import type { World } from './world.ts';

/** The world in one second of the run. */
export type Sample = LoadSecond & {
  readonly atMs: number;
  readonly inFlight: number;
  /** Age of the oldest answer that its application has and requestTail has not shown yet. */
  readonly lagMs: number;
  /** What the proxies' spools hold for the brokers; null where none of them could be asked. */
  readonly unsent: number | null;
};

/** Looks at everything once a second. */
export type Sampler = {
  readonly samples: readonly Sample[];
  /** A request was answered. */
  readonly answered: (requestId: string, atMs: number) => void;
  /** A request was seen in requestTail. */
  readonly seen: (requestId: string) => void;
  /** Answered and not seen yet. */
  readonly unseen: () => number;
  readonly stop: () => void;
};

const everyMs = 1_000;
const askMs = 900;

export function startSampler(options: {
  readonly world: Pick<World, 'children'>;
  readonly load: () => OpenLoop;
  readonly startMs: number;
}): Sampler {
  const samples: Sample[] = [];
  /** In the order of their answers. */
  const waiting = new Map<string, number>();
  const early = new Set<string>();
  const look = async (): Promise<void> => {
    const load = options.load();
    const atMs = performance.now();
    const oldestMs = waiting.values().next().value ?? atMs;
    const second = load.takeSecond();
    const unsent = await Promise.all(options.world.children.proxy.map((proxy) => readGauge(proxy.url(), 'turnpike_spool_unsent')));
    const known = unsent.filter((one) => one !== null);
    samples.push({
      ...second,
      atMs: atMs - options.startMs,
      inFlight: load.inFlight(),
      lagMs: atMs - oldestMs,
      unsent: known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0),
    });
  };
  const timer = setInterval(() => void look(), everyMs);
  return {
    samples,
    answered: (requestId, atMs) => {
      // The stream may be quicker than the last byte of the answer.
      if (!early.delete(requestId)) waiting.set(requestId, atMs);
    },
    seen: (requestId) => {
      if (!waiting.delete(requestId)) early.add(requestId);
    },
    unseen: () => waiting.size,
    stop: () => clearInterval(timer),
  };
}

/** A figure of a process, or null where it cannot be asked. */
export async function readGauge(url: string, name: string): Promise<number | null> {
  try {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(askMs) });
    const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(await response.text())?.[1];
    return value === undefined ? null : Number(value);
  } catch {
    return null;
  }
}
