import { idFromUuid } from '../../../schema/values/ids.ts';
import { createBudget } from '../../../services/registry/budgets.ts';
import type { DatabaseConnection } from '../../../services/runtime/postgres.ts';
import { changeOf, makeOrganization } from '../../harness/registry.ts';

/** What the issue names: of so many budgets five count each request of each of so many keys. */
export const population = { keys: 10_000, budgets: 1_000, matching: 5, teams: 100, users: 98 } as const;
/** 10^18 pico-USD: a million dollars, which no run uses up. */
const AMPLE = (10n ** 18n).toString();

/** Two organizations: one of many keys and budgets, and one of a single key whose every request is counted by one budget. */
export async function furnish(
  owner: DatabaseConnection,
): Promise<{ readonly many: string; readonly hot: string; readonly hotBudget: string }> {
  const { db } = owner;
  const many = await makeOrganization(db, 'many');
  const hot = await makeOrganization(db, 'hot');
  await owner.execute(`
    insert into teams (id, organization_id, name, created_at, updated_at)
      select gen_random_uuid(), '${many}', 't' || n, now(), now() from generate_series(1, ${population.teams}) n;
    insert into users (id, organization_id, name, email, created_at, updated_at)
      select gen_random_uuid(), '${many}', 'u' || n, 'u' || n || '@example.org', now(), now() from generate_series(1, ${population.users}) n;
    insert into api_keys (id, organization_id, team_id, user_id, kind, environment, name, created_at, updated_at)
      select gen_random_uuid(), '${many}', team.ids[1 + n % ${population.teams}], owner.ids[1 + n % ${population.users}], 'ak', 'live', 'k' || n, now(), now()
      from generate_series(1, ${population.keys}) n, (select array_agg(id) as ids from teams) as team, (select array_agg(id) as ids from users) as owner;
    insert into api_keys (id, organization_id, kind, environment, name, created_at, updated_at)
      values (gen_random_uuid(), '${hot}', 'ak', 'live', 'hot', now(), now());
    insert into api_key_secrets (id, api_key_id, hash, hash_version, display, created_at)
      select gen_random_uuid(), id, sha256(id::text::bytea), 1, 'tpk_ak_live_benchmark', now() from api_keys`);
  const idsOf = async (table: 'teams' | 'users' | 'api_keys'): Promise<readonly string[]> => {
    const rows = await db.selectFrom(table).select('id').where('organization_id', '=', many).orderBy('created_at').orderBy('id').execute();
    return rows.map(({ id }) => id);
  };
  const selectors = [
    ...(await idsOf('teams')).map((id) => ({ dimension: 'team' as const, value: idFromUuid('team', id) })),
    ...(await idsOf('users')).map((id) => ({ dimension: 'user' as const, value: idFromUuid('user', id) })),
    { dimension: 'model' as const, value: 'bench/*' },
  ];
  const ofKeys = (await idsOf('api_keys')).map((id) => ({ dimension: 'api_key' as const, value: idFromUuid('apiKey', id) }));
  await changeOf(db, many, async (change) => {
    await createBudget(change, budgetOf('all', null, 'usd'));
    for (const [index, selector] of [...selectors, ...ofKeys.slice(0, population.budgets - 1 - selectors.length)].entries()) {
      const unit = selector.dimension === 'model' ? 'requests' : selector.dimension === 'api_key' ? 'tokens' : 'usd';
      await createBudget(change, budgetOf(`b${index}`, selector, unit));
    }
  });
  const { budget } = await changeOf(db, hot, (change) => createBudget(change, budgetOf('hot', null, 'usd')));
  return { many: idFromUuid('organization', many), hot: idFromUuid('organization', hot), hotBudget: budget.id };
}

function budgetOf(
  name: string,
  selector: { readonly dimension: 'team' | 'user' | 'model' | 'api_key'; readonly value: string } | null,
  unit: 'usd' | 'tokens' | 'requests',
) {
  return {
    name,
    selector: selector === null ? [] : [{ dimension: selector.dimension, tagKey: null, in: [selector.value] }],
    groupBy: [],
    limits: [{ unit, amount: AMPLE, window: { kind: 'lifetime' as const } }],
    thresholds: [],
    enforcement: 'enforce' as const,
    downgradeTo: null,
    onUnpricedModel: 'block' as const,
    fallbackPrice: null,
  };
}
