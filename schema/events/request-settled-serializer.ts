import { Compile } from 'typebox/compile';
import { encodeCloudEvent } from './cloud-event.ts';
import type { LogRecord } from './log-record.ts';
import type { Attempt } from './request-settled.v1.ts';
import { REQUEST_SETTLED_TYPE, RequestSettled, SUBJECT_HEADER } from './request-settled.v1.ts';
import { clipToSchema, MAX_TAGS, TRIMMING_STEPS, unstorablePath } from './request-settled-fit.ts';
import { encodeRequestSubject } from './request-subject.ts';
import { MAX_EVENT_BYTES } from './topics.ts';

const check = Compile(RequestSettled);

/**
 * Canonical bytes of the event: fields in the schema's order, tags by key, no white space, UTF-8. Equal events give equal
 * bytes, which are what is stored, hashed and proved.
 * Never refuses an event for what an application or a provider put into it: a field beyond its bound is cut and the event
 * flagged `clipped`; beyond {@link MAX_EVENT_BYTES} parts are left out in a fixed order and flagged `trimmed_…` (both in
 * `usageFlags`).
 * @throws {TypeError} when money or an enumerated value is not one: a fault in the program.
 */
export function serializeRequestSettled(event: RequestSettled): Buffer {
  let fitting = isWithinSchema(event) ? event : clipToSchema(event, RequestSettled);
  if (fitting !== event && !isWithinSchema(fitting)) throw new TypeError(`Not a settled request: ${firstFault(fitting)}`);
  let text = canonicalText(fitting);
  // Escapes other than the short ones stand for control characters and lone surrogates only, so this is rare and cheap to ask.
  if (text.includes('\\u') && unstorablePath(fitting, '') !== null) {
    fitting = clipToSchema(event, RequestSettled);
    text = canonicalText(fitting);
  }
  let bytes = Buffer.from(text, 'utf8');
  for (const trim of TRIMMING_STEPS) {
    if (bytes.length <= MAX_EVENT_BYTES) break;
    fitting = trim(fitting);
    bytes = Buffer.from(canonicalText(fitting), 'utf8');
  }
  return bytes;
}

export interface RequestSettledEnvelope {
  /** @see eventSource */
  readonly source: string;
  /** Partition of the event's API key. */
  readonly partition: number;
  /** Epoch milliseconds of the settlement. */
  readonly timeMs: number;
  /** Personal data that travels beside the event: JSON of a `RequestSubject`; null when there is none. */
  readonly subject: string | null;
}

/** The record of the event log that carries this event. @throws {TypeError} as {@link serializeRequestSettled}. */
export function encodeRequestSettled(event: RequestSettled, envelope: RequestSettledEnvelope): LogRecord {
  const headers = encodeCloudEvent({
    id: event.requestId,
    source: envelope.source,
    type: REQUEST_SETTLED_TYPE,
    timeMs: envelope.timeMs,
    subject: event.apiKeyId,
    partitionKey: event.apiKeyId,
  });
  if (envelope.subject !== null) headers[SUBJECT_HEADER] = encodeRequestSubject(envelope.subject);
  return { key: event.apiKeyId, partition: envelope.partition, headers, value: serializeRequestSettled(event) };
}

function isWithinSchema(event: RequestSettled): boolean {
  if (!check.Check(event)) return false;
  const keys = Object.keys(event.tags);
  return keys.length <= MAX_TAGS && keys.every((key) => key.length <= 64 && typeof event.tags[key] === 'string');
}

function firstFault(event: unknown): string {
  const [fault] = check.Errors(event);
  return fault === undefined ? 'tags' : `${fault.instancePath} ${fault.message}`;
}

/**
 * Built anew in the schema's order and printed natively: the native printer makes one flat text, where a compiled serializer
 * leaves a tree of a hundred pieces to be flattened and collected.
 */
function canonicalText(event: RequestSettled): string {
  const ordered: RequestSettled = {
    version: event.version,
    requestId: event.requestId,
    organizationId: event.organizationId,
    apiKeyId: event.apiKeyId,
    teamId: event.teamId,
    userId: event.userId,
    serviceAccountId: event.serviceAccountId,
    tags: inKeyOrder(event.tags),
    endpoint: event.endpoint,
    modelRequested: event.modelRequested,
    model: event.model,
    provider: event.provider,
    modelAnswered: event.modelAnswered,
    routeId: event.routeId,
    stream: event.stream,
    outcome: event.outcome,
    status: event.status,
    errorCode: event.errorCode,
    finishReason: event.finishReason,
    attempts: event.attempts.map(orderedAttempt),
    usage: event.usage === null ? null : orderedUsage(event.usage),
    units: event.units === null ? null : orderedUnits(event.units),
    usageSource: event.usageSource,
    rawUsage: event.rawUsage,
    usageFlags: event.usageFlags,
    serviceTier: event.serviceTier,
    batch: event.batch,
    costPico: event.costPico,
    priceVersion: event.priceVersion,
    unrated: event.unrated,
    holds: event.holds.map(({ counter, hold, debit, cost }) => ({ counter, hold, debit, cost })),
    decision: { reason: event.decision.reason, candidates: event.decision.candidates },
    timings: orderedTimings(event.timings),
    sdkRetryCount: event.sdkRetryCount,
    subjectCommitment: event.subjectCommitment,
    node: event.node,
    epoch: event.epoch,
  };
  // Last, and only where there is one: events without it keep the bytes they ever had.
  if (event.refusedBy !== undefined) ordered.refusedBy = orderedRefusal(event.refusedBy);
  if (event.reportedCostPico !== undefined) ordered.reportedCostPico = event.reportedCostPico;
  if (event.replayOf !== undefined) ordered.replayOf = event.replayOf;
  if (event.counted !== undefined) ordered.counted = event.counted.map(({ limit, group, cost }) => ({ limit, group, cost }));
  if (event.wouldRefuse !== undefined) {
    ordered.wouldRefuse = event.wouldRefuse.map(({ budget, limit, needed, amount, settled }) => ({
      budget,
      limit,
      needed,
      amount,
      settled,
    }));
  }
  return JSON.stringify(ordered);
}

function orderedRefusal(refusal: NonNullable<RequestSettled['refusedBy']>): NonNullable<RequestSettled['refusedBy']> {
  const { budget, limit, needed, amount, settled, held } = refusal;
  return { budget, limit, needed, amount, settled, held };
}

function orderedAttempt(attempt: Attempt): Attempt {
  const { provider, upstreamModel, startMs, durationMs, status, outcome, errorCode, providerRequestId } = attempt;
  return { provider, upstreamModel, startMs, durationMs, status, outcome, errorCode, providerRequestId };
}

function orderedUsage(usage: NonNullable<RequestSettled['usage']>): NonNullable<RequestSettled['usage']> {
  const { input, cacheRead, cacheWrite5m, cacheWrite1h, inputAudio, inputImage, output, reasoning, outputAudio, outputImage } = usage;
  return { input, cacheRead, cacheWrite5m, cacheWrite1h, inputAudio, inputImage, output, reasoning, outputAudio, outputImage };
}

function orderedUnits({ searches, images, audioSeconds }: NonNullable<RequestSettled['units']>): NonNullable<RequestSettled['units']> {
  return { searches, images, audioSeconds };
}

function orderedTimings({ admittedAt, firstByteMs, totalMs, overheadMs }: RequestSettled['timings']): RequestSettled['timings'] {
  return { admittedAt, firstByteMs, totalMs, overheadMs };
}

function inKeyOrder(tags: RequestSettled['tags']): RequestSettled['tags'] {
  const keys = Object.keys(tags);
  if (keys.length < 2 || keys.every((key, index) => index === 0 || (keys[index - 1] ?? '') <= key)) return tags;
  return Object.fromEntries(Object.entries(tags).sort(([left], [right]) => (left < right ? -1 : 1)));
}
