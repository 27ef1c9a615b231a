import type { Endpoints } from '../../services/cli/start/endpoints.ts';
import type { Answer } from '../e2e/traffic.ts';
import { createTraffic } from '../e2e/traffic.ts';

export type SteadyTraffic = {
  /** Lets what is under way end. @returns everything that was answered or failed. */
  readonly stop: () => Promise<readonly Answer[]>;
};

/** How long one waits after a request that failed: a proxy that is being started again takes a second or so. */
const afterFailureMs = 50;
const afterSuccessMs = 20;

/** Sends requests of every kind, so many at once, until it is stopped; it does not mind whether anybody answers. */
export function startSteadyTraffic(endpoints: Endpoints, atOnce: number): SteadyTraffic {
  const traffic = createTraffic(endpoints, 0);
  const answers: Answer[] = [];
  let stopping = false;
  const work = async (worker: number): Promise<void> => {
    for (let index = worker; !stopping; index += atOnce) {
      const answer = await traffic.send(index);
      answers.push(answer);
      const restMs = answer.kind === 'failed' ? afterFailureMs : afterSuccessMs;
      await new Promise<void>((resolve) => setTimeout(resolve, restMs));
    }
  };
  const working = Promise.all(Array.from({ length: atOnce }, (_, worker) => work(worker)));
  return {
    stop: async () => {
      stopping = true;
      await working;
      return answers;
    },
  };
}
