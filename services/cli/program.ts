import { Command } from 'commander';
import { bootstrapCommand } from './bootstrap-command.ts';
import { breakGlassCommand } from './break-glass-command.ts';
import { deadLettersCommand } from './dead-letters/dead-letters-command.ts';
import { doctorCommand } from './doctor-command.ts';
import { LEASE_LOG_QUERY } from './lease-log-file.ts';
import { migrateCommand } from './migrate-command.ts';
import { moveCommand } from './move/move-command.ts';
import { snippetCommand } from './snippet/snippet-command.ts';
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
  TURNPIKE_MASTER_KEY    32 bytes in base64; made and kept in TURNPIKE_HOME where not set, required on given servers
  TURNPIKE_DURABILITY    group (a power cut may cost 5 ms) or strict (group)
  TURNPIKE_LOG_LEVEL     trace, debug, info, warn, error, fatal or silent (warn)
  OPENAI_API_KEY, ANTHROPIC_API_KEY, ...
                         a provider's credential found here makes the provider ready to use
`;

const migrateHelp = `
Run it before the processes of a new version start. Many may run it at once: one does the work.

Environment:
  DATABASE_URL        the processes' database, with the login they use
  DATABASE_OWNER_URL  the same database as its owner; the login of DATABASE_URL is then made where it is missing, with its
                      password, and may take on the roles turnpike_writer and turnpike_reader. Without it, DATABASE_URL is the owner's.
`;

const bootstrapHelp = `
Run it once, after turnpike migrate. What TURNPIKE_CONFIG names and each known provider whose key is in the environment
is applied with it. The admin key is stored as a hash: keep what is printed.

Environment:
  DATABASE_URL         the processes' database
  TURNPIKE_MASTER_KEY  32 bytes in base64, the same for every process: openssl rand -base64 32
  TURNPIKE_CONFIG      a YAML file, or a folder of them, with providers, models and keys
  OPENAI_API_KEY, ...  offers the provider; the proxies need the variable too
`;

const breakGlassHelp = `
For when no admin key is left that works: whoever has the database and the master key has every right to one. The key's former secrets
end at once; it is enabled, its time goes on if it was up, and it works from every address. What it may do stays as it was. Where no
key is named and none is left that administers the installation, one is made. Applications' keys are not touched.

Environment:
  DATABASE_URL         the processes' database; an embedded installation needs no such command: npm start gives it a good key
  TURNPIKE_MASTER_KEY  32 bytes in base64, the same for every process
`;

const doctorHelp = `
Computes from the leases of budgets and what was posted on them what each counter has to be, and adds up the log of all changes. It reads only,
and everything of one moment. Prints what does not fit, with the figures, and exits with 1 then. The ledger does the same every hour, without the log.

With --log it needs no database: it adds up what was exported, a line an entry, by

  PGOPTIONS="-c role=turnpike_writer" psql "$DATABASE_URL" -At -c "${LEASE_LOG_QUERY}" > lease-log.jsonl

Environment:
  DATABASE_URL  the processes' database
`;

const moveHelp = `
Into a database that was migrated and not bootstrapped, and a Kafka without the topic. One transaction, verified before it
counts: rows and checksums by table, the ledger's sum against its rollups, journal positions. The home is left as it is.
Events that the home's log refused for good (proxy/spool/rejected-….jsonl) are in no books and cannot move: it is refused until they
are kept elsewhere.

Environment:
  DATABASE_URL, KAFKA_BROKERS  the given servers
  TURNPIKE_MASTER_KEY          the home's own: export TURNPIKE_MASTER_KEY=$(cat .turnpike/master.key)
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
    .addHelpText('after', migrateHelp)
    .action(migrateCommand);
  program
    .command('bootstrap')
    .description('make the first organization and its admin key in the database of DATABASE_URL, and print them once')
    .option('--slug <slug>', "the organization's short name", 'default')
    .option('--name <name>', "the organization's name", 'Default organization')
    .option('--simulator <url>', 'also offer the simulated provider that runs there, and make a key that may call nothing else')
    .addHelpText('after', bootstrapHelp)
    .action(bootstrapCommand);
  program
    .command('break-glass')
    .description('give a lost admin key a new secret, in the database of DATABASE_URL, and print it once')
    .requiredOption('--reason <text>', 'why; it stands in the audit log, with who and when')
    .option('--key <id>', 'the admin key, key_…; without it the oldest that administers the installation')
    .addHelpText('after', breakGlassHelp)
    .action(breakGlassCommand);
  program
    .command('doctor')
    .description('look whether the books of budgets are in order, in the database of DATABASE_URL')
    .option('--log <file>', 'prove an exported log of the leases by itself, without a database')
    .addHelpText('after', doctorHelp)
    .action(doctorCommand);
  program
    .command('move')
    .description('carry the state of an embedded home (organizations, keys, prices, ledger, journal) into given servers')
    .requiredOption('--from <home>', 'the TURNPIKE_HOME of an installation that npm start made, stopped')
    .option('--dry-run', 'copy and verify, then keep nothing')
    .addHelpText('after', moveHelp)
    .action(moveCommand);
  program.addCommand(deadLettersCommand());
  program.addCommand(snippetCommand());
  return program;
}
