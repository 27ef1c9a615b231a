import { expect, test } from 'vitest';
import type { BudgetKey } from '../../../../schema/values/budget.ts';
import { BUDGET_DIMENSIONS } from '../../../../schema/values/budget.ts';
import type { IdKind } from '../../../../schema/values/ids.ts';
import { idFromUuid } from '../../../../schema/values/ids.ts';
import type { NewApiKey } from '../../../../services/registry/api-keys.ts';
import { createApiKey } from '../../../../services/registry/api-keys.ts';
import { createModel } from '../../../../services/registry/models.ts';
import { createProvider } from '../../../../services/registry/providers.ts';
import { createRoute } from '../../../../services/registry/routes.ts';
import { createServiceAccount } from '../../../../services/registry/service-accounts.ts';
import { createTeam } from '../../../../services/registry/teams.ts';
import { createUser } from '../../../../services/registry/users.ts';
import { eventually } from '../../../harness/eventually.ts';
import { testModel } from '../../../harness/proxy.ts';
import { testSecrets } from '../../../harness/registry.ts';
import { budgetedProxies, lifetime } from './budgeted-proxies.ts';

type World = Awaited<ReturnType<typeof budgetedProxies>>;

/** A team, a user and a service account, a key of each of the two, and a route: what budgets name by ids. */
async function makeOwners({ change, upstream }: World) {
  const textOf = (kind: IdKind, row: { readonly id: string }) => idFromUuid(kind, row.id);
  return change(async (each) => {
    const { team } = await createTeam(each, { name: 'Search' });
    const { user } = await createUser(each, { email: 'grace@example.test', name: 'Grace' });
    const { serviceAccount } = await createServiceAccount(each, { name: 'batch' });
    const keyOf = async (owner: Pick<NewApiKey, 'kind' | 'teamId' | 'userId' | 'serviceAccountId' | 'tags'>) => {
      const settings = { environment: 'test', allowedModels: null, metadata: {}, expiresAt: null, permissions: [] } as const;
      const { key, secret } = await createApiKey(each, { ...settings, name: owner.kind, ...owner }, testSecrets);
      return { id: textOf('apiKey', key), secret };
    };
    const { provider } = await createProvider(each, { name: 'acme', protocol: 'openai', baseUrl: upstream.baseUrl, options: {} });
    const offered = { providerId: provider.id, name: 'fast', upstreamModel: null, contextWindow: null, maxOutputTokens: null, price: null };
    const { model } = await createModel(each, offered);
    const targets = [{ modelId: model.id, weight: 1, credentialId: null }];
    const { route } = await createRoute(each, { name: 'chat', strategy: 'single', targets });
    return {
      team: textOf('team', team),
      user: textOf('user', user),
      serviceAccount: textOf('serviceAccount', serviceAccount),
      route: textOf('route', route),
      ofUser: await keyOf({ kind: 'ak', teamId: team.id, userId: user.id, tags: {} }),
      ofAccount: await keyOf({ kind: 'sa', teamId: null, serviceAccountId: serviceAccount.id, tags: {} }),
    };
  });
}

test('each dimension of a budget counts what has its value and nothing else, and apart what has other values or none', async () => {
  await using world = await budgetedProxies();
  const { db } = world.database.writer;
  const owners = await makeOwners(world);
  // Of what stands in the requests: one has a value of everything but a service account, the other of nothing else that can be left out.
  const values: Readonly<Record<BudgetKey['dimension'], readonly [string | null, string | null]>> = {
    team: [owners.team, null],
    user: [owners.user, null],
    service_account: [null, owners.serviceAccount],
    api_key: [owners.ofUser.id, owners.ofAccount.id],
    end_user: ['ada@example.test', null],
    model: ['acme/fast', 'other/large'],
    provider: ['acme', 'other'],
    route: [owners.route, null],
    tag: ['search', null],
  };
  const limits = [lifetime('requests', 100n)];
  const names = new Map<string, string>();
  names.set(await world.define({ name: 'organization', limits }), 'organization');
  for (const dimension of BUDGET_DIMENSIONS) {
    const key: BudgetKey = { dimension, tagKey: dimension === 'tag' ? 'feature' : null };
    const [first, second] = values[dimension];
    const selector = [{ ...key, in: [first ?? second ?? ''] }];
    names.set(await world.define({ name: `only ${dimension}`, selector, limits }), `only ${dimension}`);
    names.set(await world.define({ name: `each ${dimension}`, groupBy: [key], limits }), `each ${dimension}`);
  }
  const fast = testModel('acme/fast', { maxOutputTokens: 10 });
  const proxy = await world.start({
    models: [fast, testModel('other/large', { maxOutputTokens: 10 })],
    routes: [
      {
        id: owners.route,
        organizationId: world.organizationId,
        name: 'chat',
        strategy: 'single',
        createdAt: 0,
        outputCap: null,
        targets: [{ modelId: fast.id, weight: 1, credentialId: null }],
      },
    ],
  });
  const labels = { 'x-turnpike-end-user-id': 'ada@example.test', 'x-turnpike-tags': '{"feature":"search"}' };
  const answers = [
    await world.chat(proxy, { model: 'route/chat' }, { authorization: `Bearer ${owners.ofUser.secret}`, ...labels }),
    await world.chat(proxy, { model: 'other/large' }, { authorization: `Bearer ${owners.ofAccount.secret}` }),
    // Of another organization.
    await world.chat(proxy, {}, { authorization: `Bearer ${proxy.key}` }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  await eventually(() => proxy.events.length === 3);
  await world.post();

  const rows = await db.selectFrom('counter_states').select(['budget_id', 'group_key', 'settled']).execute();
  const counted = rows.map(({ budget_id, group_key, settled }) => [names.get(budget_id), group_key, Number(settled)]);
  const subject = await db
    .selectFrom('request_subject')
    .select('end_user_alias')
    .where('end_user', '=', 'ada@example.test')
    .executeTakeFirst();
  const groupOf = (dimension: BudgetKey['dimension'], value: string | null) =>
    JSON.stringify([dimension === 'end_user' && value !== null ? subject?.end_user_alias : value]);
  const expected = BUDGET_DIMENSIONS.flatMap((dimension) => [
    [`only ${dimension}`, '', 1],
    ...values[dimension].map((value) => [`each ${dimension}`, groupOf(dimension, value), 1]),
  ]);
  expect(counted.sort()).toEqual([['organization', '', 2], ...expected].sort());
});
