import type { Answer } from '../e2e/traffic.ts';
import type { Load } from './load.ts';
import type { Fate } from './open-loop.ts';
import { startOpenLoop } from './open-loop.ts';

/** What is asked of the load of an outage: short answers, one in five a stream, from applications that do not try again. */
export type SteadyLoad = Load & {
  /** How long each answer took that was in between two moments (`performance.now()`), sorted. */
  readonly latenciesMs: (fromMs: number, toMs: number) => readonly number[];
  /** What was not answered with 200, in words; apart from what was shed. */
  readonly failures: readonly string[];
  /** Refused as `overloaded`, in so many words and to be tried again: the machine was too slow for the load. */
  readonly shed: () => number;
};

const mostAtOnce = 1_000;
const answerMs = 30_000;

export function startSteadyLoad(options: {
  readonly proxyUrls: readonly string[];
  readonly key: string;
  readonly ratePerSecond: number;
}): SteadyLoad {
  const { proxyUrls, key, ratePerSecond } = options;
  const answers: Answer[] = [];
  const failures: string[] = [];
  const times: { readonly atMs: number; readonly tookMs: number }[] = [];
  let shed = 0;

  const send = async (index: number): Promise<Fate> => {
    const sentMs = performance.now();
    const stream = index % 5 === 0;
    let requestId: string | null = null;
    let failure: string | null = null;
    let code: string | null = null;
    try {
      const response = await fetch(`${proxyUrls[index % proxyUrls.length]}/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body: JSON.stringify({ model: 'sim/echo', messages: [{ role: 'user', content: `request ${index}` }], stream }),
        signal: AbortSignal.timeout(answerMs),
      });
      requestId = response.headers.get('x-request-id');
      const text = await response.text();
      const isWhole = stream ? text.trimEnd().endsWith('data: [DONE]') : text.includes(`request ${index}`);
      if (response.status !== 200 || !isWhole) {
        failure = `request ${index}: ${response.status} ${text.slice(0, 200)}`;
        code = /"code":\s*"(\w+)"/.exec(text)?.[1] ?? null;
      }
    } catch (error) {
      failure = `request ${index}: ${error instanceof Error ? error.message : String(error)}`;
    }
    const atMs = performance.now();
    if (code === 'overloaded') shed += 1;
    else if (failure !== null) failures.push(failure);
    times.push({ atMs, tookMs: atMs - sentMs });
    // What each was told is the chaos run's to hold against the books; here the provider's books do.
    answers.push({ index, requestId, kind: 'failed', costUsd: null, usage: null, text: '', expectedText: null, error: { code } });
    return failure === null ? 'answered' : 'failed';
  };
  return {
    ...startOpenLoop({ ratePerSecond, mostAtOnce, send }),
    answers,
    failures,
    shed: () => shed,
    latenciesMs: (fromMs, toMs) =>
      times
        .filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
        .map(({ tookMs }) => tookMs)
        .sort((one, other) => one - other),
  };
}
