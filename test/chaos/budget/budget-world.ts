import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { idFromUuid, uuidFromId } from '../../../schema/values/ids.ts';
import { priceVersion, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import { createApiKey } from '../../../services/registry/api-keys.ts';
import { createBudget } from '../../../services/registry/budgets.ts';
import type { Change } from '../../../services/registry/change.ts';
import { applyProviders } from '../../../services/registry/configuration/apply-providers.ts';
import { migrate, readMigrations } from '../../../services/runtime/migrate.ts';
import type { DatabaseConnection } from '../../../services/runtime/postgres.ts';
import { createDatabase } from '../../../services/runtime/postgres.ts';
import { deriveSecrets } from '../../../services/runtime/secrets.ts';
import { changeOf, makeOrganization } from '../../harness/registry.ts';
import { startSimulator } from '../../harness/simulator.ts';
import { createTemporaryHome } from '../../harness/temporary-home.ts';
import type { ChaosPostgres } from '../chaos-postgres.ts';
import { startChaosPostgres } from '../chaos-postgres.ts';
import type { Child } from '../child.ts';
import { startChild } from '../child.ts';

/** A budget of one dollar and the one key that it counts; another counts each of its users apart. */
export type OneDollar = {
  readonly secret: string;
  readonly keyUuid: string;
  readonly limitId: string;
  readonly budgetIds: readonly string[];
};

/** Several proxies, a ledger that serves them the event log, a PostgreSQL of their own, and the provider with its books. */
export type BudgetWorld = {
  readonly proxies: readonly Child[];
  readonly ledger: Child;
  readonly postgres: ChaosPostgres;
  /** Of the provider: without a path. */
  readonly simUrl: string;
  /** Sees every row. While PostgreSQL is away it fails. */
  readonly database: DatabaseConnection;
  readonly newDollar: (name: string) => Promise<OneDollar>;
  /** Writes to the registry as a person does. */
  readonly change: <Result>(write: (change: Change) => Promise<Result>) => Promise<Result>;
  /** Kills a proxy and takes its disk away: what starts again is another node. @returns the uuid of the one that is gone, once that one serves. */
  readonly loseDisk: (proxy: Child) => Promise<string>;
  /** Stops the product in order. @returns what ended otherwise than with 0. */
  readonly stop: () => Promise<readonly string[]>;
  readonly end: () => Promise<void>;
};

/** USD for a million tokens. A call of 400 and 40 tokens costs 0.00096 USD, and is held at some 0.002. */
const inputUsd = 2;
const outputUsd = 4;
export const inputPico = BigInt(inputUsd) * 1_000_000n;
export const outputPico = BigInt(outputUsd) * 1_000_000n;
export const oneDollarPico = 10n ** 12n;
/** Its prompts are free: a hold on it can be made to fit any rest to the token. */
export const lastCentModel = 'last-cent';
/** A dollar's worth. */
const mostTokens = 250_000;
const models = ['echo', 'flaky', 'no-usage', 'disconnect-mid'];
const databaseName = 'turnpike_chaos';

export async function startBudgetWorld(proxyCount: number): Promise<BudgetWorld> {
  const temporary = await createTemporaryHome();
  const folder = dirname(temporary.path);
  const closing: (() => Promise<unknown>)[] = [() => temporary.remove()];
  const end = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close().catch((error: unknown) => console.error(error));
  };
  try {
    const simulator = await startSimulator();
    closing.push(() => simulator[Symbol.asyncDispose]());
    const postgres = await startChaosPostgres(temporary.path);
    const administration = createDatabase({ url: postgres.url('postgres'), role: 'login', applicationName: 'turnpike-chaos', poolSize: 1 });
    await administration.execute(`create database ${databaseName}`);
    await administration.close();
    const database = createDatabase({
      url: postgres.url(databaseName),
      role: 'login',
      applicationName: 'turnpike-chaos',
      poolSize: 3,
      statementTimeoutMs: 60_000,
    });
    closing.push(database.close);
    await migrate({ db: database.db, migrations: await readMigrations() });

    const masterKey = Buffer.alloc(32, 9);
    const organization = await makeOrganization(database.db, 'acme');
    const change = <Result>(write: (change: Change) => Promise<Result>) => changeOf(database.db, organization, write);
    await change((each) => applyProviders(each, catalog(simulator.baseUrl)));

    const variables = {
      TURNPIKE_MASTER_KEY: masterKey.toString('base64'),
      DATABASE_URL: postgres.url(databaseName),
      TURNPIKE_EVENT_LOG: 'embedded',
      TURNPIKE_LOG_LEVEL: 'error',
    };
    const ledgerHome = join(folder, 'ledger');
    await mkdir(join(ledgerHome, 'run'), { recursive: true, mode: 0o700 });
    const start = async (kind: 'proxy' | 'ledger', number: number, home: string): Promise<Child> => {
      const portVariable = kind === 'proxy' ? 'TURNPIKE_PROXY_PORT' : 'TURNPIKE_LEDGER_PORT';
      const child = await startChild({ kind, number, variables: { ...variables, TURNPIKE_HOME: home }, portVariable, onKilled: () => {} });
      closing.push(child.end);
      return child;
    };
    const ledger = await start('ledger', 1, ledgerHome);
    const homeOf = (index: number): string => join(folder, `proxy-${index + 1}`);
    const proxies = await Promise.all(
      Array.from({ length: proxyCount }, async (_, index) => {
        const home = homeOf(index);
        await mkdir(home, { recursive: true });
        // The ledger serves the event log there.
        await symlink(join(ledgerHome, 'run'), join(home, 'run'));
        return start('proxy', index + 1, home);
      }),
    );
    return {
      proxies,
      ledger,
      postgres,
      simUrl: simulator.url,
      database,
      change,
      loseDisk: async (proxy) => {
        const disk = join(homeOf(proxies.indexOf(proxy)), 'proxy');
        const node = uuidFromId('node', (await readFile(join(disk, 'node'), 'utf8')).trim());
        if (node === null) throw new Error(`${proxy.name} has no name`);
        await proxy.kill(() => rm(disk, { recursive: true }));
        return node;
      },
      // Key and budget come in one snapshot: no request of the key is without the budget.
      newDollar: (name) =>
        change(async (each) => {
          const input = { name, kind: 'ak', environment: 'test', teamId: null, allowedModels: null } as const;
          const none = { tags: {}, metadata: {}, permissions: [], expiresAt: null };
          const { key, secret } = await createApiKey(each, { ...input, ...none }, deriveSecrets(masterKey));
          const shape = {
            selector: [{ dimension: 'api_key', tagKey: null, in: [idFromUuid('apiKey', key.id)] }],
            thresholds: [],
            enforcement: 'enforce',
            downgradeTo: null,
            onUnpricedModel: 'block',
            fallbackPrice: null,
          } as const;
          const { budget } = await createBudget(each, {
            ...shape,
            name,
            groupBy: [],
            limits: [
              { unit: 'usd', amount: oneDollarPico.toString(), window: { kind: 'lifetime' } },
              // Never short by itself: holds of both are taken together, or none.
              { unit: 'requests', amount: '100000', window: { kind: 'lifetime' } },
            ],
          });
          // Nor is this one: it is there for its many counters, made by whoever comes first.
          const users = await createBudget(each, {
            ...shape,
            name: `${name}, by user`,
            groupBy: [{ dimension: 'end_user', tagKey: null }],
            limits: [{ unit: 'usd', amount: (10n * oneDollarPico).toString(), window: { kind: 'lifetime' } }],
          });
          const limit = budget.definition.limits.find(({ unit }) => unit === 'usd');
          return { secret, keyUuid: key.id, limitId: limit?.id ?? '', budgetIds: [budget.id, users.budget.id] };
        }),
      stop: async () => {
        const wrong: string[] = [];
        for (const child of [...proxies, ledger]) {
          const code = await child.stop();
          if (code !== 0) wrong.push(`${child.name} stopped with ${code}: ${child.output().slice(-2_000)}`);
        }
        return wrong;
      },
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function catalog(baseUrl: string): Parameters<typeof applyProviders>[1] {
  const model = (name: string, upstreamModel: string, input: number, maxOutputTokens: number) => {
    const sheet = sheetFromPerMillion({ input: String(input), output: String(outputUsd) });
    const price = { version: priceVersion(sheet), sheet, source: 'test' };
    return { name: `sim/${name}`, upstreamModel, contextWindow: null, maxOutputTokens, price };
  };
  return {
    owner: 'file',
    providers: [{ name: 'sim', protocol: 'openai', baseUrl, credential: null, options: {} }],
    models: [...models.map((name) => model(name, name, inputUsd, 16_000)), model(lastCentModel, 'echo', 0, mostTokens)],
    keys: [],
  };
}
