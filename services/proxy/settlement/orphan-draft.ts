import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import { RequestSubject } from '../../../schema/events/request-settled.v1.ts';
import type { AdmittedRequest, Writer } from './settle.ts';
import { orphanEnding, settle } from './settle.ts';

const NullableText = Type.Union([Type.String(), Type.Null()]);

/** What stands in the spool while a request is open. `format` changes with its meaning. */
const Draft = Type.Object({
  format: Type.Literal(1),
  requestId: Type.String(),
  key: Type.Object({
    id: Type.String(),
    organizationId: Type.String(),
    teamId: NullableText,
    userId: NullableText,
    serviceAccountId: NullableText,
    partition: Type.Integer({ minimum: 0 }),
  }),
  endpoint: Type.String(),
  admittedAtMs: Type.Integer({ minimum: 0 }),
  tags: Type.Record(Type.String(), Type.String()),
  subject: Type.Union([RequestSubject, Type.Null()]),
  subjectCommitment: NullableText,
  sdkRetryCount: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  modelRequested: NullableText,
  model: NullableText,
  provider: NullableText,
  routeId: NullableText,
  stream: Type.Boolean(),
  decisionReason: Type.String(),
  candidates: Type.Array(Type.String()),
  upstreamModel: Type.String(),
  startMs: Type.Number({ minimum: 0 }),
  node: Type.String(),
  epoch: Type.Integer({ minimum: 0 }),
  /** What it may use at most of limits that hold nothing; absent where there are none. */
  counted: Type.Optional(
    Type.Array(Type.Object({ limit: Type.String(), group: Type.String(), cost: Type.String({ pattern: '^\\d{1,38}$' }) })),
  ),
  /** Absent where the request holds nothing of a budget. */
  held: Type.Optional(Type.Array(Type.Object({ counter: Type.String(), hold: Type.String({ pattern: '^\\d{1,38}$' }) }))),
});
const check = Compile(Draft);

/** The one call a request is opened for. */
export interface PlannedCall {
  readonly upstreamModel: string;
  /** Milliseconds from admission to the call. */
  readonly startMs: number;
}

/** The settlement of a request whose process died, with what the books need beside it. */
export interface Orphan {
  readonly event: RequestSettled;
  readonly partition: number;
  /** JSON of a `RequestSubject`. */
  readonly subject: string | null;
}

/** What a draft has in common with the last one under its key, and that part of it as text. */
type CommonPart = { readonly facts: CommonFacts; readonly text: string };
type CommonFacts = Pick<
  AdmittedRequest,
  'endpoint' | 'tags' | 'modelRequested' | 'model' | 'provider' | 'routeId' | 'stream' | 'decisionReason' | 'candidates'
> & { readonly upstreamModel: string; readonly node: string; readonly epoch: number };

const commonParts = new WeakMap<AdmittedRequest['key'], CommonPart>();

/** Printed anew only where a request under this key (of one snapshot) differs from the one before it. */
function commonText(request: AdmittedRequest, call: PlannedCall, writer: Writer): string {
  const { key, endpoint, tags, modelRequested, model, provider, routeId, stream, decisionReason, candidates } = request;
  const { upstreamModel } = call;
  const { node, epoch } = writer;
  const known = commonParts.get(key);
  const last = known?.facts;
  if (
    known !== undefined &&
    last?.modelRequested === modelRequested &&
    last.candidates === candidates &&
    last.tags === tags &&
    last.stream === stream &&
    last.endpoint === endpoint &&
    last.model === model &&
    last.provider === provider &&
    last.routeId === routeId &&
    last.decisionReason === decisionReason &&
    last.upstreamModel === upstreamModel &&
    last.node === node &&
    last.epoch === epoch
  )
    return known.text;
  const facts = {
    endpoint,
    tags,
    modelRequested,
    model,
    provider,
    routeId,
    stream,
    decisionReason,
    candidates,
    upstreamModel,
    node,
    epoch,
  };
  const { id, organizationId, teamId, userId, serviceAccountId, partition } = key;
  const owner = { id, organizationId, teamId, userId, serviceAccountId, partition };
  const text = JSON.stringify({ format: 1, key: owner, ...facts }).slice(0, -1);
  commonParts.set(key, { facts, text });
  return text;
}

/**
 * Put together by hand, which is half of what printing objects made for it costs; a counter is a uuid of the database, and there is nothing to escape in
 * it. An amount that is the same as just before is not printed again.
 */
function heldText(holds: NonNullable<AdmittedRequest['holds']>): string {
  let last = -1n;
  let hold = '';
  let text = '';
  for (const { counter, amount } of holds) {
    if (amount !== last) hold = amount.toString();
    last = amount;
    text += `${text === '' ? '' : ','}{"counter":"${counter}","hold":"${hold}"}`;
  }
  return text;
}

/** The same of what is counted. A limit is a uuid of the database; the values of a group are anybody's. */
function countedText(counts: NonNullable<AdmittedRequest['counts']>): string {
  let last = -1n;
  let cost = '';
  let text = '';
  for (const { limit, group, amount } of counts) {
    const most = amount ?? 0n;
    if (most !== last) cost = most.toString();
    last = most;
    text += `${text === '' ? '' : ','}{"limit":"${limit}","group":${group === '' ? '""' : JSON.stringify(group)},"cost":"${cost}"}`;
  }
  return text;
}

/**
 * Everything the settlement of a request is made from, should this process die before it settles; the cost of this is paid by every request.
 * @param subject JSON of a `RequestSubject`.
 */
export function encodeOrphanDraft(request: AdmittedRequest, subject: string | null, call: PlannedCall, writer: Writer): string {
  const { requestId, admittedAtMs, sdkRetryCount, subjectCommitment } = request;
  const own = JSON.stringify({ requestId, admittedAtMs, startMs: call.startMs, sdkRetryCount, subjectCommitment });
  if (request.holds != null || request.counts != null) {
    const held = request.holds == null ? '' : `"held":[${heldText(request.holds)}],`;
    const counted = request.counts == null ? '' : `"counted":[${countedText(request.counts)}],`;
    return `${commonText(request, call, writer)},${own.slice(1, -1)},${held}${counted}"subject":${subject}}`;
  }
  return `${commonText(request, call, writer)},${own.slice(1, -1)},"subject":${subject}}`;
}

/** The settlement of a draft, in the name of the boot that admitted it; null when it is none of ours. */
export function settleOrphanDraft(draft: string): Orphan | null {
  let value: unknown;
  try {
    value = JSON.parse(draft);
  } catch {
    return null;
  }
  if (!check.Check(value)) return null;
  const { provider, upstreamModel, node, epoch } = value;
  const startMs = Math.round(value.startMs * 1_000) / 1_000;
  // The call may have been made and billed in full: nothing of its hold is free.
  const holds = (value.held ?? []).map(({ counter, hold }) => ({ counter, hold, debit: hold, cost: hold }));
  const counted = (value.counted ?? []).filter(({ cost }) => cost !== '0');
  const event = settle(value, orphanEnding({ provider: provider ?? '', upstreamModel, startMs }), { node, epoch }, holds, {
    counted,
    wouldRefuse: [],
  });
  return { event, partition: value.key.partition, subject: value.subject === null ? null : JSON.stringify(value.subject) };
}
