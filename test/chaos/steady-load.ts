import type { Answer } from '../e2e/traffic.ts';
import type { Load, LoadSecond } from './load.ts';

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
  readonly onAnswer: (answer: Answer, atMs: number) => void;
}): SteadyLoad {
  const answers: Answer[] = [];
  const failures: string[] = [];
  const times: { readonly atMs: number; readonly tookMs: number }[] = [];
  const pending = new Set<Promise<void>>();
  const startMs = performance.now();
  let due = 0;
  let sent = 0;
  let heldBack = 0;
  let shed = 0;
  const nothing = (): LoadSecond => ({ answered: 0, left: 0, failed: 0, slowestMs: 0 });
  let second = nothing();

  const send = async (index: number): Promise<void> => {
    const sentMs = performance.now();
    const stream = index % 5 === 0;
    let requestId: string | null = null;
    let failure: string | null = null;
    let code: string | null = null;
    try {
      const response = await fetch(`${options.proxyUrls[index % options.proxyUrls.length]}/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${options.key}` },
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
    second.slowestMs = Math.max(second.slowestMs, atMs - sentMs);
    second[failure === null ? 'answered' : 'failed'] += 1;
    const kind = failure === null ? 'answered' : 'failed';
    // What each was told is the chaos run's to hold against the books; here the provider's books do.
    const answer: Answer = { index, requestId, kind: 'failed', costUsd: null, usage: null, text: '', expectedText: null, error: { code } };
    answers.push(answer);
    options.onAnswer({ ...answer, kind }, atMs);
  };
  const timer = setInterval(() => {
    const until = ((performance.now() - startMs) / 1_000) * options.ratePerSecond;
    for (; due < until; due++) {
      if (pending.size >= mostAtOnce) {
        heldBack += 1;
        continue;
      }
      const one = send(sent++).finally(() => pending.delete(one));
      pending.add(one);
    }
  }, 5);
  return {
    answers,
    failures,
    shed: () => shed,
    latenciesMs: (fromMs, toMs) =>
      times
        .filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
        .map(({ tookMs }) => tookMs)
        .sort((one, other) => one - other),
    inFlight: () => pending.size,
    heldBack: () => heldBack,
    takeSecond: () => {
      const taken = second;
      second = nothing();
      return taken;
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(pending);
    },
  };
}
