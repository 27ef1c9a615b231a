import type { Static } from 'typebox';
import { Type } from 'typebox';

/**
 * `turnpike.requests.v1`: one event per authenticated request, whatever its outcome (DESIGN.md, "The event").
 * It holds no personal data: end user, address and free metadata are represented by a salted commitment; the values travel
 * beside it in the header `tp_subject` and never become part of a leaf. Adding an optional field is compatible; changing a
 * meaning is a new version.
 */
export const REQUEST_SETTLED_TYPE = 'turnpike.request.settled.v1';

const Nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) => Type.Union([schema, Type.Null()]);
const text = (maxLength: number) => Type.String({ maxLength });
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/**
 * Most tokens of one class in one request: far beyond any model, and few enough that nine million such requests fit into one
 * 64-bit sum of the rollups. A record that tells of more would keep honest ones, which add to the same sum, out of the books.
 */
export const MAX_TOKENS = 10 ** 12;
const Tokens = Type.Integer({ minimum: 0, maximum: MAX_TOKENS });
/** Decimal integer text in pico-USD. */
const Pico = Type.String({ pattern: '^-?(0|[1-9][0-9]{0,37})$' });

export const Outcome = Type.Union([
  Type.Literal('succeeded'),
  Type.Literal('cancelled'),
  Type.Literal('failed'),
  Type.Literal('blocked'),
  Type.Literal('rejected'),
  Type.Literal('cached'),
  Type.Literal('orphaned'),
]);
export type Outcome = Static<typeof Outcome>;
export const OUTCOMES: readonly Outcome[] = ['succeeded', 'cancelled', 'failed', 'blocked', 'rejected', 'cached', 'orphaned'];

/** Disjoint token classes; null = not reported, which is not 0. */
const UsageVector = Type.Object({
  input: Nullable(Tokens),
  cacheRead: Nullable(Tokens),
  cacheWrite5m: Nullable(Tokens),
  cacheWrite1h: Nullable(Tokens),
  inputAudio: Nullable(Tokens),
  inputImage: Nullable(Tokens),
  output: Nullable(Tokens),
  reasoning: Nullable(Tokens),
  outputAudio: Nullable(Tokens),
  outputImage: Nullable(Tokens),
});

/** What is billed by the call or the piece. */
const UnitVector = Type.Object({
  searches: Nullable(Count),
  images: Nullable(Count),
  audioSeconds: Nullable(Type.Number({ minimum: 0 })),
});

/** One call made to a provider. A request that never left the gateway has none. */
export const Attempt = Type.Object({
  provider: text(64),
  upstreamModel: text(256),
  /** Milliseconds from admission to the call, and its length. */
  startMs: Type.Number({ minimum: 0 }),
  durationMs: Type.Number({ minimum: 0 }),
  /** HTTP status of the provider; null when no answer came. */
  status: Nullable(Type.Integer({ minimum: 100, maximum: 599 })),
  outcome: Type.Union([Type.Literal('succeeded'), Type.Literal('failed'), Type.Literal('cancelled'), Type.Literal('unknown')]),
  /** Stable code, ours or the provider's; never its message, which may quote the prompt. */
  errorCode: Nullable(text(128)),
  providerRequestId: Nullable(text(256)),
});
export type Attempt = Static<typeof Attempt>;

export const RequestSettled = Type.Object({
  version: Type.Literal(1),
  requestId: text(64),
  organizationId: text(64),
  apiKeyId: text(64),
  teamId: Nullable(text(64)),
  userId: Nullable(text(64)),
  serviceAccountId: Nullable(text(64)),
  /** As they were at admission; string values, at most 32 of them. */
  tags: Type.Record(Type.String({ maxLength: 64 }), text(256)),
  endpoint: text(64),
  /** As the application asked. */
  modelRequested: Nullable(text(256)),
  /** `provider/model` as configured; null when none was chosen. */
  model: Nullable(text(256)),
  provider: Nullable(text(64)),
  /** As the provider answered, where it says. */
  modelAnswered: Nullable(text(256)),
  routeId: Nullable(text(64)),
  stream: Type.Boolean(),
  outcome: Outcome,
  /** Status sent to the application; 499 when it left before one was. */
  status: Nullable(Type.Integer({ minimum: 100, maximum: 599 })),
  errorCode: Nullable(text(128)),
  finishReason: Nullable(text(64)),
  attempts: Type.Array(Attempt, { maxItems: 32 }),
  usage: Nullable(UsageVector),
  units: Nullable(UnitVector),
  usageSource: Nullable(Type.Union([Type.Literal('provider'), Type.Literal('estimated')])),
  /** The provider's own usage object as JSON text, to the byte; null when it sent none or it exceeds the bound. */
  rawUsage: Nullable(text(4096)),
  /** What was odd about the usage, e.g. `total_mismatch`, `class_clamped`, `usage_missing`. */
  usageFlags: Type.Array(text(64), { maxItems: 16 }),
  serviceTier: Nullable(text(64)),
  batch: Type.Boolean(),
  /** What the proxy rated and told the application; null with a reason in `unrated` when it could not. */
  costPico: Nullable(Pico),
  priceVersion: Nullable(text(64)),
  unrated: Nullable(text(64)),
  /** By lease; `cost` is what was used of the counter, `debit` what of it the hold and the lease had room for. */
  holds: Type.Array(Type.Object({ counter: text(64), hold: Pico, debit: Pico, cost: Pico }), { maxItems: 64 }),
  /** Why it went where it went: candidates in the order they were considered. */
  decision: Type.Object({ reason: text(128), candidates: Type.Array(text(256), { maxItems: 16 }) }),
  timings: Type.Object({
    /** Epoch milliseconds by the proxy's clock. `occurredAt` is the request id's own time. */
    admittedAt: Type.Integer({ minimum: 0 }),
    /** Milliseconds since admission; null = never came. */
    firstByteMs: Nullable(Type.Number({ minimum: 0 })),
    totalMs: Type.Number({ minimum: 0 }),
    overheadMs: Nullable(Type.Number({ minimum: 0 })),
  }),
  sdkRetryCount: Nullable(Count),
  /** SHA-256 over salt and subject, in hex; the values are in the header `tp_subject`. */
  subjectCommitment: Nullable(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  node: text(64),
  epoch: Count,
  /** The budget or rate limit that refused it, and what was known of its limit then, in the limit's unit; absent where none did. */
  refusedBy: Type.Optional(
    Type.Object({
      budget: text(64),
      limit: text(64),
      /** Most that the request could have used; null where that is not known. */
      needed: Nullable(Pico),
      /** Of the limit, what was settled of it and what was held by others; null where the database did not say. */
      amount: Nullable(Pico),
      settled: Nullable(Pico),
      held: Nullable(Pico),
    }),
  ),
  /** What the provider says it charges; it stands beside `costPico`, never for it. Absent where it says nothing. */
  reportedCostPico: Type.Optional(Pico),
  /** The request whose answer it got again, by its idempotency key, at no cost; absent everywhere else. */
  replayOf: Type.Optional(text(64)),
  /**
   * What it used of the limits that hold nothing, those of budgets that audit or notify, in each limit's unit; absent where there is nothing. The
   * window is the one in which it is posted.
   */
  counted: Type.Optional(Type.Array(Type.Object({ limit: text(64), group: text(96), cost: Pico }), { maxItems: 24 })),
  /** Audited budgets that would have refused it, and what the proxy knew of their limit, in its unit; absent where none would have. */
  wouldRefuse: Type.Optional(
    Type.Array(
      Type.Object({
        budget: text(64),
        limit: text(64),
        /** Most that the request could have used; null, as the others, where the model had no price. */
        needed: Nullable(Pico),
        amount: Nullable(Pico),
        settled: Nullable(Pico),
      }),
      { maxItems: 4 },
    ),
  ),
});
export type RequestSettled = Static<typeof RequestSettled>;

/** Header of the record that carries personal data; stored in the erasable `request_subject`, never hashed into a leaf. */
export const SUBJECT_HEADER = 'tp_subject';

/** Content of {@link SUBJECT_HEADER}. `salt` is 16 random bytes in hex. */
export const RequestSubject = Type.Object({
  salt: Type.String({ pattern: '^[0-9a-f]{32}$' }),
  endUser: Nullable(text(256)),
  address: Nullable(text(64)),
  metadata: Nullable(Type.Record(Type.String({ maxLength: 64 }), text(512))),
  /** What stands for the end user in the keys of budget counters; absent where no budget counts by end user. */
  alias: Type.Optional(text(64)),
});
export type RequestSubject = Static<typeof RequestSubject>;
