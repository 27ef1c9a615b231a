import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { idFromUuid, mintUuid, uuidFromId } from '../../schema/values/ids.ts';
import { handOutAlert } from '../../services/registry/alerts/hand-out-alert.ts';
import { createApiKey } from '../../services/registry/api-keys.ts';
import { activateTag } from '../../services/registry/tags.ts';
import { createTeam } from '../../services/registry/teams.ts';
import { systemClock } from '../../services/runtime/clock.ts';
import { systemRandom } from '../../services/runtime/random.ts';
import { leaseFunctions, testId } from '../leases/sql/lease-functions.ts';
import { addAlert } from './budget-alerts.ts';
import { keepDeadLetter } from './dead-letters.ts';
import { eventually } from './eventually.ts';
import type { TestApi, TestTenant } from './graphql.ts';
import { book, sequence, usageEntry } from './graphql-books.ts';
import { payloadFields } from './graphql-everything.ts';
import type { NotedApi } from './graphql-noted.ts';
import { changeOf, testSecrets } from './registry.ts';
import { settledRequest } from './settled-request.ts';

type Ask = NotedApi['ask'];

/** A tenant with one of everything, all of it recognizable. */
export interface Furnished extends TestTenant {
  readonly mark: string;
  readonly teamId: string;
  readonly apiKeyId: string;
  readonly entryId: string;
  readonly auditEventId: string;
  readonly deadLetterId: string;
  /** As clients see it: of its budget, for its one group. */
  readonly stateId: string;
  readonly alertId: string;
  /** Ids as clients see them, of what was made through the API. */
  readonly made: Readonly<Record<MadeType, string>>;
}
type MadeType =
  | 'Provider'
  | 'Model'
  | 'PriceVersion'
  | 'ProviderCredential'
  | 'Route'
  | 'ServiceAccount'
  | 'User'
  | 'Budget'
  | 'AlertChannel'
  | 'AlertDelivery'
  | 'RateLimit';

let made = 0;

/** Runs a mutation of the tenant's own and returns the id of what it made, in which every field was asked for. */
async function make(ask: Ask, key: string, name: string, input: string, entity: string): Promise<string> {
  made += 1;
  const { data, errors } = await ask<Record<string, Record<string, { id: string }> & { errors: unknown[] }>>(
    key,
    `mutation { ${name}(input: { idempotencyKey: "${made}", ${input} }) ${payloadFields(name)} }`,
  );
  expect([name, errors, data?.[name]?.errors]).toEqual([name, undefined, []]);
  return data?.[name]?.[entity]?.id ?? '';
}

/** A provider with a model, a price, a credential, a route to it, and who may use them: made as an administrator makes them. */
async function makeUpstream(ask: Ask, key: string, mark: string, price: number): Promise<Furnished['made']> {
  const Provider = await make(ask, key, 'providerCreate', `name: "${mark}", baseUrl: "https://${mark}.invalid/v1"`, 'provider');
  const tiers = `[{ units: [{ unit: "input", usdPerMillion: "${price}" }] }]`;
  const Model = await make(ask, key, 'modelCreate', `providerId: "${Provider}", name: "model", price: ${tiers}`, 'model');
  const { data } = await ask<{ node: { prices: { version: string } } }>(
    key,
    `{ node(id: "${Model}") { ... on Model { prices { version } } } }`,
  );
  const secret = `sk-${mark}-0123456789abcdef`;
  const input = `providerId: "${Provider}", name: "${mark} credential", secret: "${secret}"`;
  const ProviderCredential = await make(ask, key, 'providerCredentialCreate', input, 'providerCredential');
  const targets = `[{ modelId: "${Model}", credentialId: "${ProviderCredential}" }]`;
  const ServiceAccount = await make(ask, key, 'serviceAccountCreate', `name: "${mark} account"`, 'serviceAccount');
  const User = await make(ask, key, 'userCreate', `name: "${mark} user", email: "${mark}@example.org"`, 'user');
  await make(ask, key, 'apiKeyCreate', `name: "${mark} own", kind: SERVICE_ACCOUNT, serviceAccountId: "${ServiceAccount}"`, 'apiKey');
  await make(ask, key, 'apiKeyCreate', `name: "${mark} personal", userId: "${User}"`, 'apiKey');
  const condition = `{ dimension: TAG, tagKey: "${mark}-tag", in: ["${mark}"] }`;
  const limit = '{ unit: USD, amount: "10", window: { kind: MONTH, zone: "Europe/Berlin" } }';
  const fallback = 'onUnpricedModel: FALLBACK, fallbackPrice: { input: "1", output: "2" }';
  const Budget = await make(
    ask,
    key,
    'budgetCreate',
    `name: "${mark} budget", selector: [${condition}], groupBy: [{ dimension: END_USER }], limits: [${limit}], enforcement: NOTIFY, ${fallback}`,
    'budget',
  );
  const hook = `name: "${mark} hook", kind: WEBHOOK, url: "http://127.0.0.1:1/${mark}", budgetIds: ["${Budget}"]`;
  const AlertChannel = await make(ask, key, 'alertChannelCreate', hook, 'alertChannel');
  const AlertDelivery = await make(ask, key, 'alertChannelTest', `id: "${AlertChannel}"`, 'alertDelivery');
  const rules = 'limits: [{ unit: INPUT_TOKENS, amount: "10", per: MINUTE }, { unit: CONCURRENT_REQUESTS, amount: "10" }]';
  const scope = `selector: [${condition}], groupBy: [{ dimension: API_KEY }], reserve: { percent: 20, for: [${condition}] }`;
  const RateLimit = await make(ask, key, 'rateLimitCreate', `name: "${mark} limit", ${scope}, ${rules}`, 'rateLimit');
  return {
    Budget,
    AlertChannel,
    AlertDelivery,
    RateLimit,
    Provider,
    Model,
    PriceVersion: data?.node.prices.version ?? '',
    ProviderCredential,
    Route: await make(ask, key, 'routeCreate', `name: "${mark}-route", targets: ${targets}`, 'route'),
    ServiceAccount,
    User,
  };
}

/** A route that skips its only target. An own model does not leave under a route; a shared one can be taken away, as this one is. */
async function makeFadedRoute(
  api: TestApi,
  ask: Ask,
  key: string,
  mark: string,
  { Provider, ProviderCredential }: Furnished['made'],
): Promise<void> {
  const model = await make(ask, key, 'modelCreate', `providerId: "${Provider}", name: "faded"`, 'model');
  const targets = `[{ modelId: "${model}", credentialId: "${ProviderCredential}" }]`;
  await make(ask, key, 'routeCreate', `name: "${mark}-faded", targets: ${targets}`, 'route');
  const { db } = api.database.writer;
  await db.updateTable('models').set({ archived_at: new Date() }).where('id', '=', uuidFromId('model', model)).execute();
}

const node = testId('node', 1);
const held: { readonly counter: string; readonly holds: number; readonly amount: string }[] = [];
/** The one proxy of all tenants, as clients see it. */
export const proxyId = idFromUuid('node', node);

/** Room of a limit of a budget or rate limit, taken for one group. */
async function lease(
  db: TestApi['database']['writer']['db'],
  budgetId: string,
  group: string,
): Promise<{ readonly counter: string; readonly limit: string }> {
  const leases = leaseFunctions(db);
  await leases.register(node, 1, 'furnished');
  const { id } = await db.selectFrom('budget_limits').select('id').where('budget_id', '=', budgetId).executeTakeFirstOrThrow();
  const [asked] = await leases.ask(node, 1, [{ limit: id, group: JSON.stringify([group]), need: 1n }]);
  const counter = asked?.counter_id ?? '';
  // One proxy tells of what it holds of all tenants.
  held.push({ counter, holds: 1, amount: '1' });
  const oldest = held.map((hold) => ({ ...hold, request: mintUuid(Date.now(), Buffer.from(hold.counter.replaceAll('-', ''), 'hex')) }));
  await sql`select lease_tell_open(${node}, 1, 'furnished', ${JSON.stringify(held)}::jsonb, ${JSON.stringify(oldest)}::jsonb)`.execute(db);
  return { counter, limit: id };
}

let furnished = 0;

/** Makes an organization and one of everything in it. `mark` is in every name and value of its own. */
export async function furnish(api: TestApi, ask: Ask, mark: string): Promise<Furnished> {
  const tenant = await api.makeTenant(mark);
  const { db } = api.database.writer;
  const { organizationId } = tenant;
  const { team } = await changeOf(db, organizationId, (change) => createTeam(change, { name: `${mark} team` }));
  const { key, auditEventId } = await changeOf(db, organizationId, (change) =>
    createApiKey(
      change,
      {
        name: `${mark} key`,
        kind: 'ak',
        environment: 'test',
        teamId: team.id,
        allowedModels: [`${mark}/model`],
        tags: { [`${mark}-tag`]: mark },
        metadata: { note: mark },
        permissions: [],
        expiresAt: null,
      },
      testSecrets,
    ),
  );
  await changeOf(db, organizationId, (change) => activateTag(change, { tagKey: `${mark}-tag` }));
  furnished += 1;
  const upstream = await makeUpstream(ask, tenant.adminKey, mark, furnished);
  await makeFadedRoute(api, ask, tenant.adminKey, mark, upstream);
  const ofBudget = await lease(db, uuidFromId('budget', upstream.Budget) ?? '', `${mark} person`);
  const ofRateLimit = await lease(db, uuidFromId('rateLimit', upstream.RateLimit) ?? '', idFromUuid('apiKey', key.id));
  const tried = db.selectFrom('alert_deliveries').select('state').where('organization_id', '=', organizationId);
  await eventually(async () => (await tried.executeTakeFirstOrThrow()).state === 'failed');
  const entryId = mintUuid(Date.now(), randomBytes(10));
  const seen = { needed: '3', amount: '10', settled: '8' };
  const settled = settledRequest({
    holds: [ofBudget, ofRateLimit].map(({ counter }) => ({ counter, hold: '3', debit: '2', cost: '2' })),
    refusedBy: { budget: upstream.RateLimit, limit: ofRateLimit.limit, ...seen, held: '1' },
    wouldRefuse: [{ budget: upstream.Budget, limit: ofBudget.limit, ...seen }],
    replayOf: idFromUuid('request', entryId),
    reportedCostPico: '5',
  });
  const body = Buffer.from(JSON.stringify(settled));
  const entry = usageEntry(organizationId, {
    entry_id: entryId,
    request_id: entryId,
    body,
    body_hash: createHash('sha256').update(body).digest(),
    api_key_id: key.id,
    user_id: uuidFromId('user', upstream.User),
    service_account_id: uuidFromId('serviceAccount', upstream.ServiceAccount),
    route_id: uuidFromId('route', upstream.Route),
    price_version: upstream.PriceVersion,
    team_id: team.id,
    provider: mark,
    model: `${mark}/model`,
    tags: { [`${mark}-tag`]: mark },
    error_code: mark,
  });
  await book(db, [entry]);
  const alertId = await addAlert(db, organizationId, { budgetId: uuidFromId('budget', upstream.Budget) ?? '', group: mark });
  await handOutAlert(db, { clock: systemClock, random: systemRandom });
  const sent = db.selectFrom('alert_deliveries').select('id').where('alert_id', '=', alertId);
  await eventually(async () => (await sent.execute()).length > 0);
  await sequence(db);
  const deadLetterId = await keepDeadLetter(db, {
    organization_id: organizationId,
    topic: mark,
    detail: mark,
    record_key: mark,
    headers: { ce_id: mark, tp_subject: `{"endUser":"${mark}"}` },
    value: Buffer.from(mark),
  });
  const discardedId = await keepDeadLetter(db, { organization_id: organizationId, topic: mark, detail: mark });
  await sql`update dead_letters set state = 'discarded', discard_reason = ${mark}, closed_at = now(), value = null, value_hash = sha256(value),
    value_bytes = length(value), headers = '{}', record_key = null,
    settled_holds = ${JSON.stringify([{ counter: ofBudget.counter, hold: '2', debit: '1', cost: '1' }])}::jsonb where id = ${discardedId}`.execute(
    db,
  );
  return {
    ...tenant,
    made: upstream,
    mark,
    teamId: team.id,
    apiKeyId: key.id,
    entryId: entry.entry_id,
    auditEventId,
    deadLetterId,
    stateId: idFromUuid('counter', ofBudget.counter),
    alertId,
  };
}

/** Ids as clients see them, by type. */
export const idsOf = (tenant: Furnished) => ({
  Organization: idFromUuid('organization', tenant.organizationId),
  Team: idFromUuid('team', tenant.teamId),
  ApiKey: idFromUuid('apiKey', tenant.apiKeyId),
  Request: idFromUuid('request', tenant.entryId),
  LedgerEntry: idFromUuid('entry', tenant.entryId),
  AuditEvent: idFromUuid('auditEvent', tenant.auditEventId),
  DeadLetter: idFromUuid('deadLetter', tenant.deadLetterId),
  BudgetAlert: idFromUuid('budgetAlert', tenant.alertId),
  ...tenant.made,
});

/** Everything in an answer that only the other tenant's data could have put there. */
export function tracesOf(tenant: Furnished, answer: unknown): string[] {
  const text = JSON.stringify(answer);
  return [
    tenant.mark,
    Buffer.from(tenant.mark).toString('base64'),
    ...Object.values(idsOf(tenant)),
    tenant.organizationId,
    tenant.apiKeyId,
  ].filter((trace) => text.includes(trace));
}
