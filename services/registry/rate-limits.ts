import type { Selectable, Updateable } from 'kysely';
import type { RateLimitTable } from '../../schema/tables/rate-limit.table.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { GivenRule, RateLimitDefinition, RateLimitReserve, RateLimitRule } from '../../schema/values/rate-limit.ts';
import { commonLimits, wholeLimits } from '../../schema/values/rate-limit.ts';
import { checkScope, LARGEST_AMOUNT } from './budget-definition.ts';
import { writeBudgetLimits } from './budget-limits.ts';
import type { Change } from './change.ts';
import { differences, mintRowId, RegistryError, recordChange } from './change.ts';
import { lockOwn, nameTaken, nextVersion } from './own-rows.ts';
import { writeSharedLimits } from './shared-limits.ts';

export type RateLimit = Selectable<RateLimitTable>;

/** A definition as it is asked for: its rules have no ids yet. */
export type GivenRateLimit = Omit<RateLimitDefinition, 'limits'> & { readonly limits: readonly GivenRule[] };

const MOST_RULES = 8;
const TAKEN = 'Another rate limit has this name.';

/**
 * Writes down a rate limit: its rules for leasing, and the rest for the proxies' next snapshot.
 * @throws RegistryError `invalid`, `not_found` (whom the selector names), `name_taken`.
 */
export async function createRateLimit(
  change: Change,
  input: { readonly name: string } & GivenRateLimit,
): Promise<{ rateLimit: RateLimit; auditEventId: string }> {
  const { name, ...given } = input;
  const definition = await defineRateLimit(change, given, null);
  const now = new Date(change.clock.now());
  const rateLimit = await change.trx
    .insertInto('rate_limits')
    .values({
      id: mintRowId(change),
      organization_id: change.organizationId,
      name,
      definition: JSON.stringify(definition),
      version: 1,
      created_at: now,
      updated_at: now,
      archived_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(nameTaken(TAKEN));
  await writeLimits(change, rateLimit.id, definition);
  return { rateLimit, auditEventId: await recordRateLimit(change, 'rate_limit.create', rateLimit, {}, known(rateLimit)) };
}

/** What is left out stays as it is; a changed amount keeps what was used. @throws RegistryError as {@link createRateLimit}; `version_conflict`, `archived`. */
export async function updateRateLimit(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number; readonly name?: string } & Partial<GivenRateLimit>,
): Promise<{ rateLimit: RateLimit; auditEventId: string }> {
  const { id, expectedVersion, name, ...given } = input;
  const before = await lockRateLimit(change, { id, expectedVersion });
  const definition = await defineRateLimit(change, { ...before.definition, ...given }, before.definition);
  const rateLimit = await write(change, before, { name: name ?? before.name, definition: JSON.stringify(definition) });
  await writeLimits(change, rateLimit.id, definition);
  return { rateLimit, auditEventId: await recordRateLimit(change, 'rate_limit.update', rateLimit, known(before), known(rateLimit)) };
}

/** Takes a rate limit out of use. @throws RegistryError `not_found`, `archived`, `version_conflict`. */
export async function archiveRateLimit(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number },
): Promise<{ rateLimit: RateLimit; auditEventId: string }> {
  const before = await lockRateLimit(change, input);
  const after = { archived_at: new Date(change.clock.now()) };
  const rateLimit = await write(change, before, after);
  await writeLimits(change, rateLimit.id, null);
  return { rateLimit, auditEventId: await recordRateLimit(change, 'rate_limit.archive', rateLimit, { archived_at: null }, after) };
}

/** @param definition null: it is archived. */
async function writeLimits(change: Change, rateLimitId: string, definition: RateLimitDefinition | null): Promise<void> {
  const limits = definition === null ? [] : [wholeLimits(definition), commonLimits(definition)];
  await writeBudgetLimits(
    change,
    rateLimitId,
    limits.flatMap(({ counted }) => counted),
  );
  await writeSharedLimits(
    change,
    rateLimitId,
    limits.flatMap(({ shared }) => shared),
  );
}

/** The definition with the ids of its rules; one whose unit and period an earlier definition had keeps that id. */
async function defineRateLimit(change: Change, given: GivenRateLimit, before: RateLimitDefinition | null): Promise<RateLimitDefinition> {
  await checkScope(change, given);
  const { selector, groupBy, limits, reserve } = given;
  if (reserve !== null) await checkReserve(change, reserve);
  if (limits.length < 1 || limits.length > MOST_RULES) throw invalid(`There are 1 to ${MOST_RULES} limits.`, ['limits']);
  if (new Set(limits.map(ruleKey)).size < limits.length) throw invalid('Two limits have the same unit and period.', ['limits']);
  for (const [index, { unit, amount, per }] of limits.entries()) {
    if ((unit === 'concurrent_requests') !== (per === null)) {
      throw invalid('A limit of concurrent requests has no period, and every other has one.', ['limits', String(index), 'per']);
    }
    if (BigInt(amount) >= 0n && BigInt(amount) <= LARGEST_AMOUNT) continue;
    throw invalid('An amount is neither negative nor absurd.', ['limits', String(index), 'amount']);
  }
  const kept = new Map(before?.limits.map((rule) => [ruleKey(rule), rule]));
  const ruleOf = ({ unit, amount, per }: GivenRule): RateLimitRule => {
    const known = kept.get(ruleKey({ unit, per }));
    const commonId = reserve === null ? null : (known?.commonId ?? mintRowId(change));
    return { id: known?.id ?? mintRowId(change), unit, amount, per, commonId };
  };
  return { selector, groupBy, limits: limits.map(ruleOf), reserve };
}

async function checkReserve(change: Change, { percent, for: selector }: RateLimitReserve): Promise<void> {
  if (!(Number.isInteger(percent) && percent >= 1 && percent <= 99)) throw invalid('A reserve is 1 to 99 percent.', ['reserve', 'percent']);
  if (selector.length === 0) throw invalid('A reserve says whom it is kept for.', ['reserve', 'for']);
  await checkScope(change, { selector, groupBy: [] }).catch((error: unknown) => {
    if (!(error instanceof RegistryError)) throw error;
    throw new RegistryError(error.code, error.message, ['reserve', 'for', ...error.path.slice(1)]);
  });
}

function ruleKey({ unit, per }: Pick<RateLimitRule, 'unit' | 'per'>): string {
  return `${unit} ${per}`;
}

function invalid(message: string, path: readonly string[]): RegistryError {
  return new RegistryError('invalid', message, path);
}

/** Both sides of a difference come out of the database, which orders the fields of JSON its own way. */
function known(rateLimit: RateLimit): Readonly<Record<string, unknown>> {
  return { name: rateLimit.name, ...rateLimit.definition };
}

function lockRateLimit(change: Change, input: { readonly id: string; readonly expectedVersion: number }): Promise<RateLimit> {
  return lockOwn(change, change.trx.selectFrom('rate_limits').selectAll(), 'rate limit', input);
}

function write(change: Change, before: RateLimit, after: Updateable<RateLimitTable>): Promise<RateLimit> {
  return change.trx
    .updateTable('rate_limits')
    .set({ ...after, ...nextVersion(change, before) })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(nameTaken(TAKEN));
}

function recordRateLimit(
  change: Change,
  action: string,
  rateLimit: RateLimit,
  before: object,
  after: Readonly<Record<string, unknown>>,
): Promise<string> {
  return recordChange(change, {
    action,
    targets: [{ type: 'rate_limit', id: idFromUuid('rateLimit', rateLimit.id), name: rateLimit.name }],
    changes: differences({ ...before }, after),
  });
}
