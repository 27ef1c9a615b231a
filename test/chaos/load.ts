import type { Endpoints } from '../../services/cli/start/endpoints.ts';
import type { Answer } from '../e2e/traffic.ts';
import { createTraffic } from '../e2e/traffic.ts';

/** One second of load, as applications saw it. */
export type LoadSecond = { answered: number; left: number; failed: number; slowestMs: number };

/** Applications that ask without a pause, whatever becomes of what they asked before. */
export type Load = {
  readonly answers: readonly Answer[];
  readonly inFlight: () => number;
  /** Requests that were due and not sent, because too many were under way. */
  readonly heldBack: () => number;
  /** What happened since the last look. */
  readonly takeSecond: () => LoadSecond;
  /** Ends the asking. @returns once all answers are in. */
  readonly stop: () => Promise<void>;
};

/** Of the official client's connections, and of what a run may owe when the product stands still. */
const mostAtOnce = 64;

/** @param onAnswer told of each answer, and when it was in (`performance.now()`). */
export function startLoad(options: {
  readonly endpoints: Endpoints;
  readonly proxyUrls: readonly string[];
  readonly ratePerSecond: number;
  readonly onAnswer: (answer: Answer, atMs: number) => void;
}): Load {
  const traffic = options.proxyUrls.map((proxyUrl) => createTraffic({ ...options.endpoints, proxyUrl }));
  const answers: Answer[] = [];
  const pending = new Set<Promise<void>>();
  const startMs = performance.now();
  let due = 0;
  let sent = 0;
  let heldBack = 0;
  const nothing = (): LoadSecond => ({ answered: 0, left: 0, failed: 0, slowestMs: 0 });
  let second = nothing();

  const send = async (index: number): Promise<void> => {
    const sentMs = performance.now();
    // Not the index alone: what an index asks for repeats every twenty.
    const answer = await traffic[Math.floor(index / 3) % traffic.length]?.send(index);
    if (answer === undefined) return;
    const atMs = performance.now();
    answers.push(answer);
    second[answer.kind] += 1;
    if (answer.kind === 'answered') second.slowestMs = Math.max(second.slowestMs, atMs - sentMs);
    options.onAnswer(answer, atMs);
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
  }, 20);
  return {
    answers,
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
