import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { RequestSettled } from '../../schema/events/request-settled.v1.ts';
import type { ErrorDialect } from './answer/error-dialect.ts';
import type { PlannedCount } from './budgets/budget-counts.ts';
import type { TakenHold } from './budgets/budget-holds.ts';
import type { WarnableLimit } from './budgets/budget-warning.ts';
import type { KeyedClaim } from './idempotency/keyed-claim.ts';
import type { Entropy } from './settlement/entropy.ts';
import type { AdmittedRequest } from './settlement/settle.ts';
import { commitmentTo, createSubject } from './settlement/subject.ts';
import type { TakenShares } from './shares/taken-shares.ts';
import type { CompiledModel } from './snapshot/compiled-model.ts';
import type { CompiledKey, CompiledSnapshot } from './snapshot/compiled-snapshot.ts';

const SALT_BYTES = 16;

/** An endpoint as what is asked through it needs it. */
export interface AskedEndpoint {
  /** As entries name it, and keys are allowed it. */
  readonly path: string;
  readonly errors: ErrorDialect;
}

/**
 * One authenticated request on its way: the one object of fixed shape that everything about it hangs on (performance.md
 * rule 5). It is also what the settlement is made from.
 */
export class Exchange implements AdmittedRequest {
  readonly requestId: string;
  readonly key: CompiledKey;
  /** The snapshot it was admitted under, to its end. */
  readonly snapshot: CompiledSnapshot;
  readonly endpoint: string;
  /** How its application is told of errors. */
  readonly errors: ErrorDialect;
  readonly admittedAtMs: number;
  /** Monotonic milliseconds of its arrival, for durations. */
  readonly arrivedAt: number;
  readonly headers: IncomingHttpHeaders;
  readonly response: ServerResponse;
  readonly address: string | null;

  tags: Readonly<Record<string, string>>;
  metadata: Readonly<Record<string, string>> | null = null;
  endUser: string | null = null;
  /** Set where a budget counts by end user: with it the name of a counter can be found, until it is erased. */
  endUserAlias: string | null = null;
  sdkRetryCount: number | null = null;
  /** JSON of a `RequestSubject`. */
  subject: string | null = null;
  subjectCommitment: string | null = null;
  modelRequested: string | null = null;
  target: CompiledModel | null = null;
  routeId: string | null = null;
  stream = false;
  decisionReason = 'none';
  candidates: readonly string[] = [];
  /** What it holds of its budgets until it is settled. */
  holds: readonly TakenHold[] | null = null;
  /** What it has of shared rate limits until it is settled. */
  shares: TakenShares | null = null;
  /** What counts it without holding anything. */
  counts: readonly PlannedCount[] | null = null;
  /** What its answer is to warn of; null: nothing. */
  warning: string | null = null;
  /** Limits whose thresholds its answer warns of; null where none that counts it has any. */
  warnable: readonly WarnableLimit[] | null = null;
  /** How its rate limits stand, flat; null where none counts it. */
  limitHeaders: readonly string[] | null = null;
  refusedBy: NonNullable<RequestSettled['refusedBy']> | null = null;
  /** The idempotency key that it has. */
  claim: KeyedClaim | null = null;
  replayOf: string | null = null;
  /** Monotonic milliseconds when the whole request had arrived: what the client takes to send it is not our overhead. */
  receivedAt: number;
  /** Monotonic milliseconds by which the request wants it to be over, or a stream to have begun; infinite = whenever. */
  endBy = Number.POSITIVE_INFINITY;
  beginStreamBy = Number.POSITIVE_INFINITY;
  /** Set by whoever takes on its settlement, so that nobody else does. */
  settled = false;

  constructor(
    requestId: string,
    key: CompiledKey,
    snapshot: CompiledSnapshot,
    { path, errors }: AskedEndpoint,
    admittedAtMs: number,
    arrivedAt: number,
    headers: IncomingHttpHeaders,
    response: ServerResponse,
    address: string | null,
  ) {
    this.requestId = requestId;
    this.key = key;
    this.snapshot = snapshot;
    this.endpoint = path;
    this.errors = errors;
    this.admittedAtMs = admittedAtMs;
    this.arrivedAt = arrivedAt;
    this.headers = headers;
    this.response = response;
    this.address = address;
    this.tags = key.tags;
    this.receivedAt = arrivedAt;
  }

  /** Names the persons behind the request, once, when everything about them is known. */
  nameSubject(entropy: Entropy): void {
    if (this.subject !== null) return;
    this.subject = createSubject(entropy.take(SALT_BYTES), this.endUser, this.address, this.metadata, this.endUserAlias);
    this.subjectCommitment = commitmentTo(this.subject);
  }

  get model(): string | null {
    return this.target?.name ?? null;
  }

  get provider(): string | null {
    return this.target?.provider.name ?? null;
  }
}
