import { sql } from 'kysely';
import type {
  BudgetCondition,
  BudgetDefinition,
  BudgetDimension,
  BudgetKey,
  BudgetLimit,
  BudgetWindow,
} from '../../schema/values/budget.ts';
import type { IdKind } from '../../schema/values/ids.ts';
import { uuidFromId } from '../../schema/values/ids.ts';
import type { Change } from './change.ts';
import { mintRowId, RegistryError } from './change.ts';

/** A definition as it is asked for: its limits have no ids yet. */
export type GivenBudget = Omit<BudgetDefinition, 'limits'> & { readonly limits: readonly Omit<BudgetLimit, 'id'>[] };

const MOST_CONDITIONS = 16;
const MOST_VALUES = 100;
const MOST_GROUPS = 4;
const MOST_LIMITS = 8;
const MOST_THRESHOLDS = 10;
const LONGEST_VALUE = 256;
/** pico-USD, tokens or requests: numeric(38, 0) holds it, and so does a sum of many. */
export const LARGEST_AMOUNT = 10n ** 30n;
export const YEAR_SECONDS = 366 * 86_400;
const ANCHOR = /^(19[789]|20\d)\d-\d\d-\d\dT\d\d:\d\d:\d\d$/;
const ZONE = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;
const MODEL_OR_ROUTE = /^[^/\s]+\/\S{1,190}$/;

/** What a condition names by an id, and where it is. */
const owned: Readonly<Partial<Record<BudgetDimension, readonly [IdKind, 'teams' | 'users' | 'service_accounts' | 'api_keys' | 'routes']>>> =
  {
    team: ['team', 'teams'],
    user: ['user', 'users'],
    service_account: ['serviceAccount', 'service_accounts'],
    api_key: ['apiKey', 'api_keys'],
    route: ['route', 'routes'],
  };

/**
 * The definition with the ids of its limits. One whose unit and window an earlier definition had keeps that id, so that what was used
 * of it stays used.
 * @throws RegistryError `invalid` or, for what a condition names and the organization has not, `not_found`; each names the field.
 */
export async function defineBudget(change: Change, given: GivenBudget, before: BudgetDefinition | null): Promise<BudgetDefinition> {
  await checkBudget(change, given);
  const kept = new Map(before?.limits.map((limit) => [limitKey(limit), limit.id]));
  const thresholds = [...given.thresholds].sort((one, other) => Number(one) - Number(other));
  return { ...given, thresholds, limits: given.limits.map((limit) => ({ id: kept.get(limitKey(limit)) ?? mintRowId(change), ...limit })) };
}

/** Where a definition is looked at: reads are enough. */
type Place = Pick<Change, 'trx' | 'organizationId'>;

/** Whether a budget could be defined so. @throws RegistryError as {@link defineBudget}. */
export async function checkBudget(change: Place, given: GivenBudget): Promise<void> {
  await checkScope(change, given);
  await checkLimits(change, given.limits);
  checkThresholds(given.thresholds);
  if ((given.enforcement === 'downgrade') !== (given.downgradeTo !== null)) {
    throw invalid('A budget that downgrades, and only such a one, says where to.', ['downgradeTo']);
  }
  if (given.downgradeTo !== null && !MODEL_OR_ROUTE.test(given.downgradeTo)) {
    throw invalid('Expected `provider/model` or `route/name`.', ['downgradeTo']);
  }
  if ((given.onUnpricedModel === 'fallback') !== (given.fallbackPrice !== null)) {
    throw invalid('A budget that takes a fallback price, and only such a one, states it.', ['fallbackPrice']);
  }
  for (const price of given.fallbackPrice === null ? [] : [given.fallbackPrice.input, given.fallbackPrice.output]) {
    if (BigInt(price) < 0n || BigInt(price) > LARGEST_AMOUNT) throw invalid('A price is neither negative nor absurd.', ['fallbackPrice']);
  }
}

/**
 * What a budget or a rate limit counts, and what it tells apart.
 * @throws RegistryError `invalid` or, for what a condition names and the organization has not, `not_found`; each names the field.
 */
export async function checkScope(change: Place, { selector, groupBy }: Pick<BudgetDefinition, 'selector' | 'groupBy'>): Promise<void> {
  await checkSelector(change, selector);
  bounded(groupBy.length, 0, MOST_GROUPS, 'groupBy');
  for (const [index, key] of groupBy.entries()) checkKey(key, ['groupBy', String(index)]);
  if (new Set(groupBy.map(nameOf)).size < groupBy.length) throw invalid('Each thing is grouped by once.', ['groupBy']);
}

async function checkSelector(change: Place, selector: readonly BudgetCondition[]): Promise<void> {
  bounded(selector.length, 0, MOST_CONDITIONS, 'selector');
  if (new Set(selector.map(nameOf)).size < selector.length) {
    throw invalid('There is one condition on each thing: name all its values there.', ['selector']);
  }
  for (const [index, condition] of selector.entries()) {
    const path = ['selector', String(index)];
    checkKey(condition, path);
    if (condition.in.length < 1 || condition.in.length > MOST_VALUES) {
      throw invalid(`A condition names 1 to ${MOST_VALUES} values.`, [...path, 'in']);
    }
    for (const value of condition.in) {
      if (value === '' || value.length > LONGEST_VALUE) throw invalid(`A value has 1 to ${LONGEST_VALUE} characters.`, [...path, 'in']);
      if (condition.dimension === 'model' && !MODEL_OR_ROUTE.test(value)) {
        throw invalid('Expected `provider/model` or `provider/*`.', [...path, 'in']);
      }
    }
    await requireOwned(change, condition, [...path, 'in']);
  }
}

async function requireOwned(change: Place, condition: BudgetCondition, path: readonly string[]): Promise<void> {
  const place = owned[condition.dimension];
  if (place === undefined) return;
  const [kind, table] = place;
  const uuids = [...new Set(condition.in)].map((id) => uuidFromId(kind, id));
  const known = uuids.filter((uuid) => uuid !== null);
  const { rows } = await sql<{ readonly found: number }>`
    select count(*)::integer as found from ${sql.table(table)} where organization_id = ${change.organizationId} and id = any(${known}::uuid[])`.execute(
    change.trx,
  );
  if (rows[0]?.found !== uuids.length) throw new RegistryError('not_found', `There is no such ${condition.dimension}.`, path);
}

async function checkLimits(change: Place, limits: GivenBudget['limits']): Promise<void> {
  bounded(limits.length, 1, MOST_LIMITS, 'limits');
  if (new Set(limits.map(limitKey)).size < limits.length) throw invalid('Two limits have the same unit and window.', ['limits']);
  for (const [index, { amount, window }] of limits.entries()) {
    const path = ['limits', String(index)];
    if (BigInt(amount) < 0n || BigInt(amount) > LARGEST_AMOUNT)
      throw invalid('An amount is neither negative nor absurd.', [...path, 'amount']);
    checkWindow(window, [...path, 'window']);
  }
  await checkZones(change, limits);
}

function checkWindow(window: BudgetWindow, path: readonly string[]): void {
  if (window.kind === 'lifetime') return;
  if (window.kind === 'rolling') {
    if (!(Number.isInteger(window.seconds) && window.seconds % 60 === 0 && window.seconds >= 60 && window.seconds <= YEAR_SECONDS)) {
      throw invalid('A rolling window has whole minutes, at least one and at most 366 days.', [...path, 'length']);
    }
    return;
  }
  if (!ANCHOR.test(window.anchor) || Number.isNaN(Date.parse(`${window.anchor}Z`))) {
    throw invalid('An anchor is a local time from 1970 to 2099 such as 2001-01-15T06:00:00.', [...path, 'anchor']);
  }
}

/** The database computes windows: what counts is whether it knows their zones. One look for all, as it reads a file for each zone there is. */
async function checkZones(change: Place, limits: GivenBudget['limits']): Promise<void> {
  const zones = limits.map(({ window }) => ('zone' in window ? window.zone : null));
  const asked = [...new Set(zones)].filter((zone) => zone !== null && ZONE.test(zone));
  const { rows } =
    asked.length === 0
      ? { rows: [] }
      : await sql<{ readonly name: string }>`select name from pg_timezone_names where name = any(${asked}::text[])`.execute(change.trx);
  const known = new Set(rows.map(({ name }) => name));
  const index = zones.findIndex((zone) => zone !== null && !known.has(zone));
  if (index >= 0) throw invalid('A zone is an IANA name such as Europe/Berlin.', ['limits', String(index), 'window', 'zone']);
}

function checkThresholds(thresholds: readonly string[]): void {
  bounded(thresholds.length, 0, MOST_THRESHOLDS, 'thresholds');
  if (new Set(thresholds).size < thresholds.length) throw invalid('A threshold is named once.', ['thresholds']);
  for (const threshold of thresholds) {
    if (!/^\d{1,4}(\.\d{1,2})?$/.test(threshold) || Number(threshold) <= 0 || Number(threshold) > 1_000) {
      throw invalid('A threshold is a percentage above 0 and up to 1000, with at most two decimals.', ['thresholds']);
    }
  }
}

function checkKey({ dimension, tagKey }: BudgetKey, path: readonly string[]): void {
  if ((dimension === 'tag') !== (tagKey !== null)) throw invalid('A tag, and nothing else, is named by its key.', [...path, 'tagKey']);
  if (tagKey !== null && (tagKey === '' || tagKey.length > 64)) throw invalid('A tag key has 1 to 64 characters.', [...path, 'tagKey']);
}

function nameOf({ dimension, tagKey }: BudgetKey): string {
  return `${dimension}:${tagKey ?? ''}`;
}

/** What tells the limits of a budget apart. */
export function limitKey({ unit, window }: Pick<BudgetLimit, 'unit' | 'window'>): string {
  if (window.kind === 'lifetime') return `${unit} lifetime`;
  return window.kind === 'rolling' ? `${unit} rolling ${window.seconds}` : `${unit} ${window.kind} ${window.zone} ${window.anchor}`;
}

function bounded(count: number, least: number, most: number, field: keyof GivenBudget): void {
  if (count < least || count > most) throw invalid(`There are ${least} to ${most} entries here.`, [field]);
}

function invalid(message: string, path: readonly string[]): RegistryError {
  return new RegistryError('invalid', message, path);
}
