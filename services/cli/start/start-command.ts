import { runProcess } from '../../runtime/boot.ts';
import { configuredStates } from '../configuration/configured-states.ts';
import { createChildPlan } from './child-plan.ts';
import { seedInstallation } from './seed-installation.ts';
import { startSupervisedPostgres } from './supervised-postgres.ts';
import { createSupervisor, refuseGivenServers } from './supervisor.ts';

/** `turnpike start`: everything on this machine, until a signal comes. */
export function startCommand(): void {
  runProcess({
    name: 'turnpike',
    foreground: true,
    defaultLogLevel: 'warn',
    // Four children after one another at worst, and PostgreSQL.
    stopDeadlineMs: 110_000,
    hurryGraceMs: 10_000,
    start: async ({ environment, clock, random, stopping, fail }) => {
      refuseGivenServers(environment);
      const configured = await configuredStates(environment, clock);
      const supervisor = createSupervisor({
        environment,
        clock,
        stopping,
        plan: createChildPlan(environment),
        startPostgres: startSupervisedPostgres,
        seed: (input) => seedInstallation({ environment, clock, random, configured, ...input }),
        print: (text) => console.log(text),
        fail,
      });
      const { proxyUrl, graphqlUrl } = await supervisor.start();
      return { addresses: { proxy: proxyUrl, graphql: graphqlUrl }, stop: supervisor.stop };
    },
  });
}
