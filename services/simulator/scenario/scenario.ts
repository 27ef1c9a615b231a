import type { Clock } from '../../runtime/clock.ts';
import type { Behavior } from '../behavior.ts';
import { refineByOption } from '../behavior.ts';
import { failure } from '../failures.ts';
import type { Refused } from '../request-reader.ts';
import type { ScenarioDocument } from './scenario-document.ts';
import type { ScenarioRequest } from './scenario-step.ts';
import { StepProgress } from './scenario-step.ts';

/** A scenario under way. */
export type Scenario = {
  /** What the scenario makes of the behavior of a model, for the next request; counts the request. */
  readonly behaviorFor: (request: ScenarioRequest, behavior: Behavior) => Behavior | Refused;
  /** How far it has come, as `GET /scenario` shows it. */
  readonly view: () => object;
  /** Begins anew, counts and time. */
  readonly restart: () => void;
};

const refined = (behavior: Behavior, { step }: StepProgress): Behavior =>
  Object.entries(step.options ?? {}).reduce((so, [name, value]) => refineByOption(so, name, String(value)), behavior);

/**
 * Plays a scenario: each request goes to the first step that fits it and is not over. Where every step is over, `atEnd` decides: `pass` leaves
 * the model as it is (so does a request that no step fits), `repeat` begins anew with this request, `stay` goes on with the last step,
 * `refuse` answers with an error. Time begins now.
 */
export function createScenario(document: ScenarioDocument, clock: Clock): Scenario {
  const steps = document.steps.map((step, index) => new StepProgress(step, index));
  const atEnd = document.atEnd ?? 'pass';
  let startedMs = clock.monotonic();

  const elapsedMs = (): number => clock.monotonic() - startedMs;
  const isOver = (): boolean => steps.every((step) => step.isOver(elapsedMs()));
  const restart = (): void => {
    startedMs = clock.monotonic();
    for (const step of steps) step.restart();
  };

  /** The step this request goes to, or null; counts it where it fits. */
  const take = (request: ScenarioRequest): StepProgress | null => {
    const fitting = steps.filter((step) => step.fits(request));
    for (const step of fitting) step.seen++;
    const taking = fitting.find((step) => step.wants(elapsedMs())) ?? null;
    if (taking !== null) taking.taken++;
    return taking;
  };

  const lastStep = (request: ScenarioRequest): StepProgress | null => {
    const last = steps.at(-1);
    if (last === undefined || !last.fits(request)) return null;
    last.taken++;
    return last;
  };

  const behaviorFor = (request: ScenarioRequest, behavior: Behavior): Behavior | Refused => {
    const over = isOver();
    if (over && atEnd === 'repeat') restart();
    if (over && atEnd === 'refuse') {
      const error = { message: 'Simulator: the scenario has ended.', type: 'server_error', param: null, code: 'scenario_ended' };
      return { failure: failure(500, error) };
    }
    const step = take(request) ?? (over && atEnd === 'stay' ? lastStep(request) : null);
    return step === null ? behavior : refined(behavior, step);
  };

  const view = (): object => ({
    atEnd,
    over: isOver(),
    elapsedMs: Math.round(elapsedMs()),
    steps: steps.map(({ name, seen, taken }) => ({ name, seen, taken })),
  });

  return { behaviorFor, view, restart };
}
