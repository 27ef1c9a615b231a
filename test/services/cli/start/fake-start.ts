import { fileURLToPath } from 'node:url';
import type { ChildName, ChildPlan } from '../../../../services/cli/start/child-plan.ts';
import { startSupervisedPostgres } from '../../../../services/cli/start/supervised-postgres.ts';
import { createSupervisor } from '../../../../services/cli/start/supervisor.ts';
import { runProcess } from '../../../../services/runtime/boot.ts';
import { childEnvironment } from '../../../../services/runtime/environment.ts';

/** The real supervisor over the real PostgreSQL, with fake children. FAKE_MODES maps a child's name to its mode. */
const modes = new Map(Object.entries(JSON.parse(process.env.FAKE_MODES ?? '{}')));
const fakeChild = fileURLToPath(new URL('fake-child.ts', import.meta.url));

runProcess({
  name: 'turnpike',
  foreground: true,
  defaultLogLevel: 'warn',
  stopDeadlineMs: 60_000,
  hurryGraceMs: 10_000,
  start: async ({ environment, clock, random, stopping, fail }) => {
    const of = (name: ChildName) => (databaseUrl: string) => ({
      name,
      program: process.execPath,
      arguments: [fakeChild, name, String(modes.get(name) ?? 'serve')],
      environment: childEnvironment({ DATABASE_URL: databaseUrl, TURNPIKE_LOG_LEVEL: 'warn' }),
      portVariable: name === 'proxy' ? 'TURNPIKE_PROXY_PORT' : null,
    });
    const plan: ChildPlan = { simulator: of('simulator'), ledger: of('ledger'), proxy: of('proxy'), api: of('api') };
    const supervisor = createSupervisor({
      environment,
      clock,
      stopping,
      plan,
      startPostgres: startSupervisedPostgres,
      seed: async ({ kept }) => ({
        adminKey: kept?.adminKey ?? `admin-${random.bytes(4).toString('hex')}`,
        demoKey: kept?.demoKey ?? `demo-${random.bytes(4).toString('hex')}`,
      }),
      print: (text) => console.log(text),
      fail,
    });
    await supervisor.start();
    return { addresses: {}, stop: supervisor.stop };
  },
});
