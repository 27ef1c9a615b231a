import type { ScenarioStep } from './scenario-document.ts';

/** From one number to another, both included. */
export type Span = { readonly from: number; readonly to: number };

/** What a scenario is told of a request. */
export type ScenarioRequest = { readonly model: string; readonly endpoint: string; readonly stream: boolean };

/** The values of a field that may hold one or a list; null where it is left out. */
export function listed<Value extends string>(field: Value | readonly Value[] | undefined): readonly Value[] | null {
  if (field === undefined) return null;
  return typeof field === 'string' ? [field] : field;
}

/** The range a field stands for; null where it is left out. */
export function spanOf(field: number | string | undefined): Span | null {
  if (field === undefined) return null;
  const [from = '', to = from] = String(field).split('..');
  return { from: Number(from), to: to === '' ? Number.POSITIVE_INFINITY : Number(to) };
}

const within = (span: Span | null, value: number): boolean => span === null || (value >= span.from && value <= span.to);

/** A step and how far it has come. */
export class StepProgress {
  readonly step: ScenarioStep;
  readonly name: string;
  readonly #models: readonly string[] | null;
  readonly #endpoints: readonly string[] | null;
  readonly #request: Span | null;
  readonly #sinceStart: Span | null;
  /** Requests that fitted by model, endpoint and stream, whichever step they went to. */
  seen = 0;
  /** Requests that went to this step. */
  taken = 0;

  constructor(step: ScenarioStep, index: number) {
    this.step = step;
    this.name = step.name ?? `step ${index + 1}`;
    this.#models = listed(step.model);
    this.#endpoints = listed(step.endpoint);
    this.#request = spanOf(step.request);
    this.#sinceStart = spanOf(step.sinceStartMs);
  }

  fits({ model, endpoint, stream }: ScenarioRequest): boolean {
    return (
      (this.#models?.includes(model) ?? true) &&
      (this.#endpoints?.includes(endpoint) ?? true) &&
      (this.step.stream === undefined || this.step.stream === stream)
    );
  }

  /** Whether a fitting request that has been counted in `seen` is this step's by number, time and what is left of `times`. */
  wants(elapsedMs: number): boolean {
    return (
      within(this.#request, this.seen) && within(this.#sinceStart, elapsedMs) && this.taken < (this.step.times ?? Number.POSITIVE_INFINITY)
    );
  }

  /** Whether no request can ever be this step's again. */
  isOver(elapsedMs: number): boolean {
    const { times } = this.step;
    return (
      (times !== undefined && this.taken >= times) ||
      (this.#request !== null && this.seen >= this.#request.to) ||
      (this.#sinceStart !== null && elapsedMs > this.#sinceStart.to)
    );
  }

  restart(): void {
    this.seen = 0;
    this.taken = 0;
  }
}
