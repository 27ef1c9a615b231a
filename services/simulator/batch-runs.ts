import type { Clock } from '../runtime/clock.ts';
import type { KeptFiles } from './kept-files.ts';

/** A batch as the API describes it. */
export type BatchObject = {
  readonly id: string;
  readonly object: 'batch';
  readonly endpoint: string;
  readonly errors: null;
  readonly input_file_id: string;
  readonly completion_window: string;
  readonly status: 'in_progress' | 'cancelling' | 'completed' | 'cancelled';
  readonly output_file_id: string | null;
  readonly error_file_id: string | null;
  readonly created_at: number;
  readonly completed_at: number | null;
  readonly cancelled_at: number | null;
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number };
  readonly metadata: unknown;
};

/** What is answered to one request of a batch. */
export type LineAnswer = { readonly status: number; readonly body: unknown };

/** A line of the input of a batch. */
export type BatchLine = { readonly custom_id: string; readonly url: string; readonly body: unknown };

/** What a batch is made of. */
export type NewBatch = {
  readonly owner: string;
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly completionWindow: string;
  readonly metadata: unknown;
  readonly lines: readonly BatchLine[];
  /** Answers one line as its endpoint would. */
  readonly answer: (line: BatchLine) => Promise<LineAnswer>;
};

type Run = { readonly owner: string; object: BatchObject };

/** Most batches that are kept; the oldest go. */
const maximumBatches = 1_000;

/** Batches that are worked on one line after the other, as soon as they are made. What is done when one is cancelled is in its output. */
export class BatchRuns {
  readonly #clock: Clock;
  readonly #files: KeptFiles;
  readonly #runs = new Map<string, Run>();

  constructor(clock: Clock, files: KeptFiles) {
    this.#clock = clock;
    this.#files = files;
  }

  begin(batch: NewBatch): BatchObject {
    const object: BatchObject = {
      id: this.#files.nextId('batch_'),
      object: 'batch',
      endpoint: batch.endpoint,
      errors: null,
      input_file_id: batch.inputFileId,
      completion_window: batch.completionWindow,
      status: 'in_progress',
      output_file_id: null,
      error_file_id: null,
      created_at: this.#seconds(),
      completed_at: null,
      cancelled_at: null,
      request_counts: { total: batch.lines.length, completed: 0, failed: 0 },
      metadata: batch.metadata,
    };
    const run: Run = { owner: batch.owner, object };
    this.#runs.set(object.id, run);
    for (const oldest of this.#runs.keys()) {
      if (this.#runs.size <= maximumBatches) break;
      this.#runs.delete(oldest);
    }
    void this.#work(run, batch);
    return object;
  }

  find(owner: string, id: string): BatchObject | null {
    const run = this.#runs.get(id);
    return run?.owner === owner ? run.object : null;
  }

  /** Newest first. */
  of(owner: string): readonly BatchObject[] {
    const runs = [...this.#runs.values()].filter((run) => run.owner === owner);
    return runs.map(({ object }) => object).reverse();
  }

  cancel(owner: string, id: string): BatchObject | null {
    const run = this.#runs.get(id);
    if (run?.owner !== owner) return null;
    if (run.object.status === 'in_progress') run.object = { ...run.object, status: 'cancelling' };
    return run.object;
  }

  async #work(run: Run, { owner, lines, answer }: NewBatch): Promise<void> {
    const done: string[] = [];
    const failed: string[] = [];
    for (const [index, line] of lines.entries()) {
      if (run.object.status === 'cancelling') break;
      const { status, body } = await answer(line).catch(() => ({ status: 500, body: null }));
      const id = `batch_req_${run.object.id}_${index}`;
      const written = JSON.stringify({
        id,
        custom_id: line.custom_id,
        response: { status_code: status, request_id: id, body },
        error: null,
      });
      (status < 300 ? done : failed).push(`${written}\n`);
      run.object = { ...run.object, request_counts: { total: lines.length, completed: done.length, failed: failed.length } };
    }
    const keep = (name: string, kept: readonly string[]): string | null =>
      kept.length === 0
        ? null
        : this.#files.add(owner, `${run.object.id}_${name}.jsonl`, 'batch_output', Buffer.from(kept.join(''))).object.id;
    const files = { output_file_id: keep('output', done), error_file_id: keep('error', failed) };
    const cancelled = run.object.status === 'cancelling';
    run.object = cancelled
      ? { ...run.object, ...files, status: 'cancelled', cancelled_at: this.#seconds() }
      : { ...run.object, ...files, status: 'completed', completed_at: this.#seconds() };
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}
