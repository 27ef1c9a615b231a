import type { Endpoints } from '../../services/cli/start/endpoints.ts';
import type { Answer } from '../e2e/traffic.ts';
import { createTraffic } from '../e2e/traffic.ts';
import type { OpenLoop } from './open-loop.ts';
import { startOpenLoop } from './open-loop.ts';

/** Applications that ask without a pause, whatever becomes of what they asked before. */
export type Load = OpenLoop & { readonly answers: readonly Answer[] };

/** Of the official client's connections, and of what a run may owe when the product stands still. */
const mostAtOnce = 64;

/** @param onAnswer told of each answer, and when it was in (`performance.now()`). */
export function startLoad(options: {
  readonly endpoints: Endpoints;
  readonly proxyUrls: readonly string[];
  readonly ratePerSecond: number;
  readonly onAnswer: (answer: Answer, atMs: number) => void;
}): Load {
  const { endpoints, proxyUrls, ratePerSecond, onAnswer } = options;
  const traffic = proxyUrls.map((proxyUrl) => createTraffic({ ...endpoints, proxyUrl }));
  const answers: Answer[] = [];
  const send = async (index: number): Promise<Answer['kind']> => {
    // Not the index alone: what an index asks for repeats every twenty.
    const answer = await traffic[Math.floor(index / 3) % traffic.length]?.send(index);
    if (answer === undefined) throw new Error('there is no proxy to ask');
    answers.push(answer);
    onAnswer(answer, performance.now());
    return answer.kind;
  };
  return { ...startOpenLoop({ ratePerSecond, mostAtOnce, send }), answers };
}
