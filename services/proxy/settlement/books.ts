import { encodeCloudEvent, eventSource } from '../../../schema/events/cloud-event.ts';
import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { Outcome, RequestSubject } from '../../../schema/events/request-settled.v1.ts';
import { REQUEST_SETTLED_TYPE, SUBJECT_HEADER } from '../../../schema/events/request-settled.v1.ts';
import { parseRequestSettled } from '../../../schema/events/request-settled-parser.ts';
import { encodeRequestSettled } from '../../../schema/events/request-settled-serializer.ts';
import { encodeRequestSubject } from '../../../schema/events/request-subject.ts';
import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import { partitionOf } from '../../eventlog/partition.ts';
import type { Spool } from '../../eventlog/spool.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { decodeOrphanDraft, encodeOrphanDraft } from './orphan-draft.ts';
import type { AdmittedRequest, Ending } from './settle.ts';
import { orphanEnding, settle } from './settle.ts';

export interface BooksOptions {
  readonly spool: Spool;
  /** `nod_…` of this proxy, the same over all its boots. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly onSettled: (outcome: Outcome) => void;
}

/** Every way a request gets into the books: exactly one of {@link append} and {@link close} for each admitted request. */
export interface Books {
  /** Opens a request before the provider is called. False when the spool takes nothing more: then the request is refused. */
  open(request: AdmittedRequest, subject: RequestSubject | null, upstreamModel: string, startMs: number, onWritten: () => void): boolean;
  /** Settles an opened request; `onWritten` runs when the settlement survives the death of this process (invariant 2). */
  close(request: AdmittedRequest, subject: RequestSubject | null, ending: Ending, onWritten: () => void): void;
  /** Settles a request that called no provider. False as for {@link open}. */
  append(request: AdmittedRequest, subject: RequestSubject | null, ending: Ending, onWritten: () => void): boolean;
  /** Settles as `orphaned` what an earlier boot of this proxy left open. Runs once, at the start. */
  settleOrphans(): void;
}

/** The books over a spool. */
export function createBooks(options: BooksOptions): Books {
  const { spool, node, clock, log, onSettled } = options;
  const { epoch } = spool.state();
  const source = eventSource(node, epoch);
  const writer = { node, epoch };

  const recordOf = (request: AdmittedRequest, subject: RequestSubject | null, ending: Ending): LogRecord =>
    encodeRequestSettled(settle(request, ending, writer), {
      source,
      partition: request.key.partition,
      timeMs: clock.now(),
      subject,
    });

  return {
    open: (request, subject, upstreamModel, startMs, onWritten) => {
      const ending = orphanEnding({ provider: request.provider ?? '', upstreamModel, startMs });
      return spool.open(request.requestId, encodeOrphanDraft(settle(request, ending, writer), subject), onWritten);
    },
    close: (request, subject, ending, onWritten) => {
      spool.close(request.requestId, recordOf(request, subject, ending), onWritten);
      onSettled(ending.outcome);
    },
    append: (request, subject, ending, onWritten) => {
      if (!spool.append(request.requestId, recordOf(request, subject, ending), onWritten)) return false;
      onSettled(ending.outcome);
      return true;
    },
    settleOrphans: () => {
      for (const { requestId, draft } of spool.orphans) {
        const record = orphanRecord(requestId, draft, clock.now());
        if (record === null) {
          log.error({ requestId }, 'a request left open by an earlier start cannot be read; it stays open in the spool');
          continue;
        }
        spool.close(requestId, record, () => {});
        onSettled('orphaned');
      }
      if (spool.orphans.length > 0)
        log.warn({ count: spool.orphans.length }, 'settled requests that an earlier start left open as orphaned');
    },
  };
}

/** The record that settles an orphan: the draft's own bytes, under the source of the boot that admitted it. */
function orphanRecord(requestId: string, draft: Buffer, nowMs: number): LogRecord | null {
  const { value, subject } = decodeOrphanDraft(draft);
  const headersFor = (apiKeyId: string, source: string): Record<string, string> =>
    encodeCloudEvent({ id: requestId, source, type: REQUEST_SETTLED_TYPE, timeMs: nowMs, subject: apiKeyId, partitionKey: apiKeyId });
  const named = apiKeyOf(value);
  if (named === null) return null;
  const parsed = parseRequestSettled({ headers: headersFor(named, eventSource('orphan', 0)), value });
  if (!parsed.ok) return null;
  const { apiKeyId, node, epoch } = parsed.event;
  const headers = headersFor(apiKeyId, eventSource(node, epoch));
  if (subject !== null) headers[SUBJECT_HEADER] = encodeRequestSubject(subject);
  return { key: apiKeyId, partition: partitionOf(apiKeyId, REQUESTS_TOPIC.partitions), headers, value };
}

function apiKeyOf(value: Buffer): string | null {
  try {
    const event: unknown = JSON.parse(value.toString('utf8'));
    return typeof event === 'object' && event !== null && 'apiKeyId' in event && typeof event.apiKeyId === 'string' ? event.apiKeyId : null;
  } catch {
    return null;
  }
}
