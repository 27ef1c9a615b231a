import { eventSource } from '../../../schema/events/cloud-event.ts';
import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { Outcome, RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import { encodeRequestSettled } from '../../../schema/events/request-settled-serializer.ts';
import type { Spool } from '../../eventlog/spool.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { PlannedCount, SettledCounts } from '../budgets/budget-counts.ts';
import type { HoldBooks } from '../budgets/hold-books.ts';
import type { PlannedCall } from './orphan-draft.ts';
import { encodeOrphanDraft, settleOrphanDraft } from './orphan-draft.ts';
import type { AdmittedRequest, Ending } from './settle.ts';
import { settle } from './settle.ts';

export interface BooksOptions {
  readonly spool: Spool;
  /** `nod_…` of this proxy, the same over all its boots. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  /** `event` is null where an earlier boot's request is settled, whose times nobody knows. */
  /** Settles what requests hold of budgets; none: no request holds anything. */
  readonly holds?: HoldBooks;
  /** Settles what counts a request without holding anything; none: nothing does. */
  readonly settleCounts?: (counts: readonly PlannedCount[], ending: Ending) => SettledCounts;
  readonly onSettled: (outcome: Outcome, event: Pick<RequestSettled, 'stream' | 'timings'> | null) => void;
}

/**
 * Every way a request gets into the books: exactly one of {@link append} and {@link close} for each admitted request.
 * A `subject` is the JSON of a `RequestSubject`.
 */
export interface Books {
  /** Opens a request before the provider is called. False when the spool takes nothing more: then the request is refused. */
  open(request: AdmittedRequest, subject: string | null, call: PlannedCall, onWritten: () => void): boolean;
  /** Settles an opened request; `onWritten` runs when the settlement survives the death of this process (invariant 2). */
  close(request: AdmittedRequest, subject: string | null, ending: Ending, onWritten: () => void): void;
  /** Settles a request that called no provider. False as for {@link open}. */
  append(request: AdmittedRequest, subject: string | null, ending: Ending, onWritten: () => void): boolean;
  /** Settles as `orphaned` what an earlier boot of this proxy left open. Runs once, at the start. */
  settleOrphans(): void;
}

/** The books over a spool. */
export function createBooks(options: BooksOptions): Books {
  const { spool, node, clock, log, onSettled } = options;
  const { epoch } = spool.state();
  const source = eventSource(node, epoch);
  const writer = { node, epoch };

  const recordOf = (request: AdmittedRequest, subject: string | null, event: RequestSettled): LogRecord =>
    encodeRequestSettled(event, {
      source,
      partition: request.key.partition,
      timeMs: clock.now(),
      subject,
    });

  return {
    open: (request, subject, call, onWritten) => {
      return spool.open(request.requestId, encodeOrphanDraft(request, subject, call, writer), onWritten);
    },
    close: (request, subject, ending, onWritten) => {
      if (request.shares != null) request.shares.settle(ending);
      const held = request.holds == null ? undefined : options.holds?.settle(request.requestId, request.holds, ending);
      const counts = request.counts == null ? null : (options.settleCounts?.(request.counts, ending) ?? null);
      const event = settle(request, ending, writer, held?.holds, counts);
      spool.close(request.requestId, recordOf(request, subject, event), onWritten);
      held?.written();
      onSettled(event.outcome, event);
    },
    append: (request, subject, ending, onWritten) => {
      const event = settle(request, ending, writer);
      if (!spool.append(request.requestId, recordOf(request, subject, event), onWritten)) return false;
      onSettled(event.outcome, event);
      return true;
    },
    settleOrphans: () => {
      for (const { requestId, draft } of spool.orphans) {
        const record = orphanRecord(requestId, draft, clock.now());
        if (record === null) {
          log.error({ requestId }, 'a request left open by an earlier start cannot be read; it stays open in the spool');
          continue;
        }
        spool.close(requestId, record.record, () => {});
        options.holds?.orphaned(record.event);
        onSettled('orphaned', null);
      }
      if (spool.orphans.length > 0)
        log.warn({ count: spool.orphans.length }, 'settled requests that an earlier start left open as orphaned');
    },
  };
}

/** The record that settles an orphan under the source of the boot that admitted it; null when its draft cannot be read. */
function orphanRecord(
  requestId: string,
  draft: string,
  nowMs: number,
): { readonly record: LogRecord; readonly event: RequestSettled } | null {
  const orphan = settleOrphanDraft(draft);
  if (orphan === null || orphan.event.requestId !== requestId) return null;
  const { event, partition, subject } = orphan;
  try {
    return {
      event,
      record: encodeRequestSettled(event, { source: eventSource(event.node, event.epoch), partition, timeMs: nowMs, subject }),
    };
  } catch {
    // Damaged beyond what its shape shows: one record must not keep the proxy from starting.
    return null;
  }
}
