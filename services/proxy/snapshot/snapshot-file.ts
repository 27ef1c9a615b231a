import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import {
  BUDGET_DIMENSIONS,
  BUDGET_ENFORCEMENTS,
  BUDGET_UNITS,
  CALENDAR_WINDOWS,
  UNPRICED_POLICIES,
} from '../../../schema/values/budget.ts';
import { BUDGET_EXCEEDED_STATUSES } from '../../../schema/values/budget-exceeded-status.ts';
import { OUTPUT_LIMIT_FIELDS } from '../../../schema/values/output-cap.ts';
import { PROVIDER_PROTOCOLS } from '../../../schema/values/provider-protocol.ts';
import { RATE_LIMIT_PERIODS, RATE_LIMIT_UNITS } from '../../../schema/values/rate-limit.ts';
import { KEY_ENVIRONMENTS, KEY_KINDS } from '../../../schema/values/virtual-key.ts';
import type { Snapshot } from '../../registry/snapshot.ts';

const NullableText = Type.Union([Type.String(), Type.Null()]);
const NullableTime = Type.Union([Type.Number(), Type.Null()]);
const oneOf = <Value extends string>(values: readonly Value[]) => Type.Union(values.map((value) => Type.Literal(value)));

const budgetKey = { dimension: oneOf(BUDGET_DIMENSIONS), tagKey: NullableText };
const BudgetWindowShape = Type.Union([
  Type.Object({ kind: oneOf(CALENDAR_WINDOWS), zone: Type.String(), anchor: Type.String() }),
  Type.Object({ kind: Type.Literal('rolling'), seconds: Type.Number() }),
  Type.Object({ kind: Type.Literal('lifetime') }),
]);

const SnapshotShape = Type.Object({
  revision: Type.String(),
  readAtMs: Type.Number(),
  keys: Type.Array(
    Type.Object({
      id: Type.String(),
      organizationId: Type.String(),
      teamId: NullableText,
      userId: NullableText,
      serviceAccountId: NullableText,
      kind: oneOf(KEY_KINDS),
      environment: oneOf(KEY_ENVIRONMENTS),
      name: Type.String(),
      allowedModels: Type.Union([Type.Array(Type.String()), Type.Null()]),
      // A version before them kept snapshots without: no key was limited then.
      allowedEndpoints: Type.Union([Type.Array(Type.String()), Type.Null()], { default: null }),
      allowedCidrs: Type.Union([Type.Array(Type.String()), Type.Null()], { default: null }),
      allowedOverrides: Type.Union([Type.Array(Type.String()), Type.Null()], { default: null }),
      tags: Type.Record(Type.String(), Type.String()),
      expiresAt: NullableTime,
      disabledAt: NullableTime,
      revokedAt: NullableTime,
      secrets: Type.Array(
        Type.Object({
          hash: Type.String(),
          publicPart: Type.String({ default: '' }),
          expiresAt: NullableTime,
          revokedAt: NullableTime,
        }),
      ),
    }),
  ),
  providers: Type.Array(
    Type.Object({
      id: Type.String(),
      organizationId: NullableText,
      name: Type.String(),
      protocol: oneOf(PROVIDER_PROTOCOLS),
      baseUrl: Type.String(),
      credential: Type.Union([Type.Object({ env: Type.String() }), Type.Null()]),
      options: Type.Object({
        connectTimeoutMs: Type.Optional(Type.Number()),
        firstByteTimeoutMs: Type.Optional(Type.Number()),
        idleTimeoutMs: Type.Optional(Type.Number()),
        maxConnections: Type.Optional(Type.Number()),
        onClientGone: Type.Optional(Type.Union([Type.Literal('drain'), Type.Literal('abort')])),
        outputLimitField: Type.Optional(oneOf(OUTPUT_LIMIT_FIELDS)),
        apiVersion: Type.Optional(Type.String()),
        servesResponses: Type.Optional(Type.Boolean()),
      }),
    }),
  ),
  models: Type.Array(
    Type.Object({
      id: Type.String(),
      name: Type.String(),
      providerName: Type.String(),
      organizationId: NullableText,
      upstreamModel: Type.String(),
      createdAt: Type.Number(),
      contextWindow: NullableTime,
      maxOutputTokens: NullableTime,
      prices: Type.Array(Type.Object({ validFrom: Type.Number(), priceVersion: Type.String(), sheet: Type.Unknown() })),
      ownPrices: Type.Array(
        Type.Object({ organizationId: Type.String(), validFrom: Type.Number(), priceVersion: NullableText, sheet: Type.Unknown() }),
      ),
    }),
  ),
  dataKeys: Type.Array(Type.Object({ id: Type.String(), organizationId: Type.String(), sealed: Type.String() })),
  credentials: Type.Array(
    Type.Object({
      id: Type.String(),
      organizationId: Type.String(),
      providerId: Type.String(),
      dataKeyId: Type.String(),
      sealed: Type.String(),
    }),
  ),
  routes: Type.Array(
    Type.Object({
      id: Type.String(),
      organizationId: Type.String(),
      name: Type.String(),
      strategy: Type.Union([Type.Literal('single'), Type.Literal('weighted')]),
      createdAt: Type.Number(),
      outputCap: Type.Union([Type.Object({ tokens: Type.Number(), injected: Type.Boolean() }), Type.Null()], { default: null }),
      targets: Type.Array(Type.Object({ modelId: Type.String(), weight: Type.Number(), credentialId: NullableText })),
    }),
  ),
  // A version before them kept snapshots without, and enforced none.
  budgets: Type.Array(
    Type.Object({
      id: Type.String(),
      organizationId: Type.String(),
      selector: Type.Array(Type.Object({ ...budgetKey, in: Type.Array(Type.String()) })),
      groupBy: Type.Array(Type.Object(budgetKey)),
      limits: Type.Array(
        Type.Object({
          id: Type.String(),
          unit: oneOf(BUDGET_UNITS),
          amount: Type.String({ pattern: '^\\d{1,38}$' }),
          window: BudgetWindowShape,
        }),
      ),
      // A version before them kept snapshots without, and warned of none.
      thresholds: Type.Array(Type.String({ pattern: '^\\d{1,4}(\\.\\d{1,2})?$' }), { default: [] }),
      enforcement: oneOf(BUDGET_ENFORCEMENTS),
      downgradeTo: NullableText,
      onUnpricedModel: oneOf(UNPRICED_POLICIES),
      fallbackPrice: Type.Union([Type.Object({ input: Type.String(), output: Type.String() }), Type.Null()]),
    }),
    { default: [] },
  ),
  rateLimits: Type.Array(
    Type.Object({
      id: Type.String(),
      organizationId: Type.String(),
      selector: Type.Array(Type.Object({ ...budgetKey, in: Type.Array(Type.String()) })),
      groupBy: Type.Array(Type.Object(budgetKey)),
      limits: Type.Array(
        Type.Object({
          id: Type.String(),
          unit: oneOf(RATE_LIMIT_UNITS),
          amount: Type.String({ pattern: '^\\d{1,38}$' }),
          per: Type.Union([oneOf(RATE_LIMIT_PERIODS), Type.Null()]),
          commonId: NullableText,
        }),
      ),
      reserve: Type.Union([
        Type.Object({ percent: Type.Number(), for: Type.Array(Type.Object({ ...budgetKey, in: Type.Array(Type.String()) })) }),
        Type.Null(),
      ]),
    }),
    { default: [] },
  ),
  // A version before them kept snapshots without: none had selected anything.
  organizations: Type.Array(
    Type.Object({ id: Type.String(), budgetExceededStatus: Type.Union(BUDGET_EXCEEDED_STATUSES.map((status) => Type.Literal(status))) }),
    { default: [] },
  ),
});
const check = Compile(SnapshotShape);

/** Whether a value read from disk is a snapshot. */
function isSnapshot(value: unknown): value is Snapshot {
  return check.Check(value);
}

/** The last good snapshot as kept on disk, or null where there is none that can be read. */
export async function readSnapshotFile(path: string): Promise<Snapshot | null> {
  try {
    const value: unknown = Value.Default(SnapshotShape, JSON.parse(await readFile(path, 'utf8')));
    return isSnapshot(value) ? value : null;
  } catch {
    return null;
  }
}

/** Keys, models, … that are printed at once, in less than a millisecond. */
const ITEMS_PER_PART = 100;

/** The JSON of a snapshot, in parts. */
function* snapshotText(snapshot: Snapshot): Generator<string, void, undefined> {
  let separator = '{';
  for (const [name, value] of Object.entries(snapshot)) {
    yield `${separator}${JSON.stringify(name)}:`;
    if (Array.isArray(value)) yield* arrayText(value);
    else yield JSON.stringify(value);
    separator = ',';
  }
  yield '}';
}

function* arrayText(items: readonly unknown[]): Generator<string, void, undefined> {
  yield '[';
  for (let from = 0; from < items.length; from += ITEMS_PER_PART) {
    const part = JSON.stringify(items.slice(from, from + ITEMS_PER_PART)).slice(1, -1);
    yield from === 0 ? part : `,${part}`;
  }
  yield ']';
}

/**
 * Keeps a snapshot so that the next start can do without Postgres. Readers see the old one or the new one, never half of it;
 * mode 0600, though of secrets it holds only the HMACs of keys and what is sealed under the master key.
 * A part of it is printed while the disk has the one before, so that requests are served meanwhile.
 */
export async function writeSnapshotFile(path: string, snapshot: Snapshot): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.draft`;
  const file = await open(draft, 'w', 0o600);
  try {
    for (const part of snapshotText(snapshot)) await file.writeFile(part);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
