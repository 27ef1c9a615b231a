import { Command } from 'commander';
import { migrateCommand } from './migrate-command.ts';
import { startCommand } from './start/start-command.ts';

const variables = `
Environment:
  TURNPIKE_HOME          folder that holds all state (.turnpike)
  TURNPIKE_HOST          address to listen on (127.0.0.1)
  TURNPIKE_PROXY_PORT    the OpenAI API (4000); 0 means any free port, here and below
  TURNPIKE_API_PORT      GraphQL and the console (4100)
  TURNPIKE_SIM_PORT      the simulated provider (4200)
  TURNPIKE_SIM_SCENARIO  a YAML file with what the simulated provider does to which requests
  TURNPIKE_CONFIG        a YAML file, or a folder of them, with providers, models and keys
  TURNPIKE_MASTER_KEY    32 bytes in base64; made and kept in TURNPIKE_HOME where not set
  TURNPIKE_DURABILITY    group (a power cut may cost 5 ms) or strict (group)
  TURNPIKE_LOG_LEVEL     trace, debug, info, warn, error, fatal or silent (warn)
  OPENAI_API_KEY, ANTHROPIC_API_KEY, ...
                         a provider's credential found here makes the provider ready to use
`;

/** The command line: what can be asked, and what answers. */
export function createProgram(): Command {
  const program = new Command('turnpike').description('The AI gateway that keeps the books.').showHelpAfterError();
  program
    .command('start')
    .description('run everything on this machine: PostgreSQL, ledger, proxy, API and a simulated provider')
    .addHelpText('after', variables)
    .action(startCommand);
  program
    .command('migrate')
    .description('bring the database up to this version: DATABASE_URL, else the embedded one in TURNPIKE_HOME')
    .action(migrateCommand);
  return program;
}
