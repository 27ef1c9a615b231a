import { build } from 'hdr-histogram-js';
import type { Dispatcher } from 'undici';
import { Pool } from 'undici';
import type { LoadJob, LoadResult } from './load-job.ts';

/** One minute: whatever takes longer is counted as that. */
const highestUs = 60_000_000;
const answerTimeoutMs = 60_000;

/** Sends load as the job says and resolves when the last answer is in. */
export async function runLoad(job: LoadJob): Promise<LoadResult> {
  const pool = new Pool(job.origin, {
    connections: job.connections,
    pipelining: 1,
    keepAliveTimeout: 60_000,
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
  });
  const run = createRun(job);
  const request: Dispatcher.DispatchOptions = { path: job.path, method: 'POST', headers: job.headers, body: Buffer.from(job.body) };
  const send = (intendedMs: number, next: (() => void) | null): void => {
    run.sent();
    pool.dispatch(request, new Answer(run, intendedMs, next));
  };
  const startMs = performance.now();
  if (job.ratePerSecond === null) {
    const endMs = startMs + job.durationMs;
    const next = (): void => {
      const nowMs = performance.now();
      if (nowMs < endMs) send(nowMs, next);
    };
    for (let index = 0; index < job.connections; index++) next();
  } else {
    await sendAtRate(job, job.ratePerSecond, startMs, (intendedMs) => send(intendedMs, null));
  }
  await run.finished();
  const elapsedMs = performance.now() - startMs;
  await pool.close();
  return run.result(elapsedMs);
}

/**
 * Arrivals at even distances. Between them the event loop is kept turning unless the job says to sleep: a timer is late by up to a
 * millisecond, several times what is measured otherwise.
 */
function sendAtRate(
  { durationMs, sleeps = false }: LoadJob,
  ratePerSecond: number,
  startMs: number,
  send: (intendedMs: number) => void,
): Promise<void> {
  const total = Math.round((durationMs / 1_000) * ratePerSecond);
  const gapMs = 1_000 / ratePerSecond;
  return new Promise((resolve) => {
    let next = 0;
    const turn = (): void => {
      const nowMs = performance.now();
      while (next < total && startMs + next * gapMs <= nowMs) {
        send(startMs + next * gapMs);
        next += 1;
      }
      if (next < total && sleeps) setTimeout(turn, 1);
      else if (next < total) setImmediate(turn);
      else resolve();
    };
    turn();
  });
}

type Run = {
  readonly job: LoadJob;
  readonly expectedBody: Buffer | null;
  readonly expectedText: Buffer | null;
  readonly sent: () => void;
  readonly answered: (requestId: string, latencyMs: number, problem: string | null) => void;
  readonly finished: () => Promise<void>;
  readonly result: (elapsedMs: number) => LoadResult;
};

function createRun(job: LoadJob): Run {
  const histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: highestUs, numberOfSignificantValueDigits: 3 });
  const finished = Promise.withResolvers<void>();
  let underWay = 0;
  let requests = 0;
  let unexpected = 0;
  let firstUnexpected: string | null = null;
  let waiting = false;
  const answers: [string, number][] = [];
  return {
    job,
    expectedBody: job.expectedBody === null ? null : Buffer.from(job.expectedBody),
    expectedText: job.expectedText === null ? null : Buffer.from(job.expectedText),
    sent: () => {
      underWay += 1;
    },
    answered: (requestId, latencyMs, problem) => {
      if (job.notesAnswers === true) answers.push([requestId, Date.now()]);
      underWay -= 1;
      requests += 1;
      if (problem !== null) {
        unexpected += 1;
        firstUnexpected ??= problem;
      }
      histogram.recordValue(Math.min(highestUs, Math.max(1, Math.round(latencyMs * 1_000))));
      if (waiting && underWay === 0) finished.resolve();
    },
    finished: () => {
      waiting = true;
      if (underWay === 0) finished.resolve();
      return finished.promise;
    },
    result: (elapsedMs) => ({
      requests,
      unexpected,
      firstUnexpected,
      elapsedMs,
      answers,
      latencyUs: {
        p50: histogram.getValueAtPercentile(50),
        p95: histogram.getValueAtPercentile(95),
        p99: histogram.getValueAtPercentile(99),
        max: histogram.maxValue,
      },
    }),
  };
}

/** One answer, held against what was expected as its bytes arrive. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #run: Run;
  readonly #intendedMs: number;
  readonly #next: (() => void) | null;
  #status = 0;
  #requestId = '';
  #bytes = 0;
  #same = true;
  readonly #parts: Buffer[] = [];

  constructor(run: Run, intendedMs: number, next: (() => void) | null) {
    this.#run = run;
    this.#intendedMs = intendedMs;
    this.#next = next;
  }

  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    this.#requestId = String(headers['x-request-id']);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { expectedBody, expectedText } = this.#run;
    if (expectedText !== null) this.#parts.push(chunk);
    if (expectedBody !== null && this.#same) {
      const end = this.#bytes + chunk.byteLength;
      this.#same = end <= expectedBody.byteLength && chunk.compare(expectedBody, this.#bytes, end) === 0;
    }
    this.#bytes += chunk.byteLength;
  }

  onResponseEnd(): void {
    const { job, expectedBody, expectedText } = this.#run;
    const told = expectedText === null || Buffer.concat(this.#parts).includes(expectedText);
    const whole = expectedBody === null || (this.#same && this.#bytes === expectedBody.byteLength);
    if (this.#status !== job.expectedStatus) this.#done(`status ${this.#status}`);
    else this.#done(whole && told ? null : `another body (${this.#bytes} bytes)`);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#done(error.message);
  }

  #done(problem: string | null): void {
    this.#run.answered(this.#requestId, performance.now() - this.#intendedMs, problem);
    this.#next?.();
  }
}
