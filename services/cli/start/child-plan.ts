import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnvironment, type Environment } from '../../runtime/environment.ts';
import type { ChildSpecification } from './supervised-child.ts';

/** Names of the processes that make up an installation. */
export type ChildName = 'simulator' | 'ledger' | 'proxy' | 'api';

/** The order of the stop: applications are let go first; what they still settle needs the rest; readers go before writers. */
export const stopOrder: readonly (readonly ChildName[])[] = [['proxy'], ['api'], ['ledger', 'simulator']];

/** What the supervisor runs beside PostgreSQL, by name. */
export type ChildPlan = Readonly<Record<ChildName, (databaseUrl: string) => ChildSpecification>>;

const portVariables = {
  simulator: 'TURNPIKE_SIM_PORT',
  ledger: null,
  proxy: 'TURNPIKE_PROXY_PORT',
  api: 'TURNPIKE_API_PORT',
} as const satisfies Record<ChildName, string | null>;

/** The product's own processes: the same Node runs them that runs us. */
export function createChildPlan(environment: Environment): ChildPlan {
  const of =
    (name: ChildName) =>
    (databaseUrl: string): ChildSpecification => ({
      name,
      program: process.execPath,
      arguments: [fileURLToPath(new URL(`../../${name}/main.ts`, import.meta.url))],
      environment: childEnvironment(
        {
          TURNPIKE_HOME: environment.home,
          // Nobody but this machine asks the ledger anything.
          TURNPIKE_HOST: name === 'ledger' ? '127.0.0.1' : environment.host,
          TURNPIKE_PROXY_PORT: String(environment.proxyPort),
          TURNPIKE_API_PORT: String(environment.apiPort),
          TURNPIKE_SIM_PORT: String(environment.simulatorPort),
          // Quiet under the supervisor: it tells a person what matters.
          TURNPIKE_LOG_LEVEL: environment.logLevel ?? 'warn',
          DATABASE_URL: databaseUrl,
          TURNPIKE_EVENT_LOG: 'embedded',
        },
        // Node keeps compiled modules there: a later start of the same home takes half the time.
        { NODE_COMPILE_CACHE: join(environment.home, 'compile-cache') },
      ),
      portVariable: portVariables[name],
    });
  return { simulator: of('simulator'), ledger: of('ledger'), proxy: of('proxy'), api: of('api') };
}
