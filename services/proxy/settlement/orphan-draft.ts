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

const keyTexts = new WeakMap<AdmittedRequest['key'], string>();

/** The same for all requests under one key of one snapshot, so printed once. */
function keyText(key: AdmittedRequest['key']): string {
  const known = keyTexts.get(key);
  if (known !== undefined) return known;
  const { id, organizationId, teamId, userId, serviceAccountId, partition } = key;
  const text = JSON.stringify({ id, organizationId, teamId, userId, serviceAccountId, partition });
  keyTexts.set(key, text);
  return text;
}

/**
 * Everything the settlement of a request is made from, should this process die before it settles; the cost of this is paid by every request.
 * @param subject JSON of a `RequestSubject`.
 */
export function encodeOrphanDraft(request: AdmittedRequest, subject: string | null, call: PlannedCall, writer: Writer): Buffer {
  const rest = JSON.stringify({
    format: 1,
    requestId: request.requestId,
    endpoint: request.endpoint,
    admittedAtMs: request.admittedAtMs,
    tags: request.tags,
    subjectCommitment: request.subjectCommitment,
    sdkRetryCount: request.sdkRetryCount,
    modelRequested: request.modelRequested,
    model: request.model,
    provider: request.provider,
    routeId: request.routeId,
    stream: request.stream,
    decisionReason: request.decisionReason,
    candidates: request.candidates,
    upstreamModel: call.upstreamModel,
    startMs: call.startMs,
    node: writer.node,
    epoch: writer.epoch,
  });
  return Buffer.from(`${rest.slice(0, -1)},"key":${keyText(request.key)},"subject":${subject}}`, 'utf8');
}

/** The settlement of a draft, in the name of the boot that admitted it; null when it is none of ours. */
export function settleOrphanDraft(draft: Buffer): Orphan | null {
  let value: unknown;
  try {
    value = JSON.parse(draft.toString('utf8'));
  } catch {
    return null;
  }
  if (!check.Check(value)) return null;
  const { provider, upstreamModel, node, epoch } = value;
  const startMs = Math.round(value.startMs * 1_000) / 1_000;
  const event = settle(value, orphanEnding({ provider: provider ?? '', upstreamModel, startMs }), { node, epoch });
  return { event, partition: value.key.partition, subject: value.subject === null ? null : JSON.stringify(value.subject) };
}
