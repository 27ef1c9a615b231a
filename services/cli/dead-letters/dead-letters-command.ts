import { randomUUID } from 'node:crypto';
import { Command, Option } from 'commander';
import { systemClock } from '../../runtime/clock.ts';
import { findApi } from '../api/api-access.ts';
import type { AskApi } from '../api/ask-api.ts';
import { createAskApi } from '../api/ask-api.ts';
import { runOnce } from '../run-once.ts';
import type { DiscardOptions } from './discard-dead-letters.ts';
import { discardDeadLetters } from './discard-dead-letters.ts';
import type { ListOptions } from './list-dead-letters.ts';
import { listDeadLetters } from './list-dead-letters.ts';
import type { RetryOptions } from './retry-dead-letters.ts';
import { retryDeadLetters } from './retry-dead-letters.ts';
import type { ShowOptions } from './show-dead-letter.ts';
import { showDeadLetter } from './show-dead-letter.ts';

const access = `
Environment:
  TURNPIKE_API_URL    where the API is, such as http://api:4100; without it, what endpoints.json in TURNPIKE_HOME says
  TURNPIKE_ADMIN_KEY  an admin key; of another installation than the one in TURNPIKE_HOME it must be given
`;

const about = `
A dead letter is a record of the event log that could not be booked: it is kept with its bytes and the reason, and the others go on.
States: open; retrying (the ledger takes it next); posted (it is in the books); discarded. The last two are final.
Letters from which no organization could be read are seen by who administers the installation.
`;

const retryHelp = `
The ledger takes the event again from its original bytes, in one transaction: it is posted, never twice, or open again with what was
found. Exits with 1 unless all were posted. Useful after an upgrade or a mended database; what is no event will never be one.

  turnpike deadletters retry dlt_01m7…
  turnpike deadletters retry --reason unknown_version,refused_by_database
${access}`;

const discardHelp = `
Its bytes, headers and key are erased, personal data among them. What remains: where it stood, why it was dead, size and SHA-256, and
who discarded it when and why, in the audit log. There is no way back.

  turnpike deadletters discard dlt_01m7… --because "sent by a load test"
${access}`;

type Url = { readonly url?: string };
type Reach = { readonly ask: AskApi; readonly now: () => number; readonly mintKey: () => string; readonly print: (text: string) => void };

/** Finds the API and does the work; its exit code is 1 where the work says that not all was done. */
function withApi({ url }: Url, work: (reach: Reach) => Promise<boolean | undefined>): Promise<void> {
  return runOnce(async (environment) => {
    const ask = createAskApi(await findApi(environment, url));
    const done = await work({ ask, now: systemClock.now, mintKey: randomUUID, print: console.log });
    if (done === false) process.exitCode = 1;
  });
}

/** `turnpike deadletters`. */
export function deadLettersCommand(): Command {
  const command = new Command('deadletters')
    .description('look at, retry or discard records that could not be booked')
    .addHelpText('after', about);
  const url = () => new Option('--url <url>', 'where the API is');
  const json = () => new Option('--json', 'answer in JSON');
  const narrowing = (of: Command): Command =>
    of
      .option('--reason <reasons>', 'only for these reasons, with commas between, such as unparseable,id_reuse')
      .option('--organization <id>', 'only of this organization, or none: of no organization')
      .option('--since <when>', 'only those recorded since: 30m, 12h, 7d or an instant');

  narrowing(command.command('list').description('list dead letters, newest first'))
    .option('--state <states>', 'open, retrying, posted, discarded, with commas between, or all', 'open,retrying')
    .option('--limit <count>', 'how many at most', '50')
    .addOption(json())
    .addOption(url())
    .addHelpText('after', access)
    .action((options: ListOptions & Url) =>
      withApi(options, async ({ ask, now, print }) => {
        await listDeadLetters(ask, options, now(), print);
        return undefined;
      }),
    );
  command
    .command('show')
    .description('show one with its headers and bytes')
    .argument('<id>', 'dlt_…')
    .option('--subject', 'show personal data that it carries, too; needs the permission dead_letter:read_subject')
    .option('--raw', 'write nothing but its bytes')
    .addOption(json())
    .addOption(url())
    .addHelpText('after', access)
    .action((id: string, options: ShowOptions & Url) =>
      withApi(options, async ({ ask, print }) => {
        await showDeadLetter(ask, id, options, { print, write: (bytes) => process.stdout.write(bytes) });
        return undefined;
      }),
    );
  narrowing(
    command.command('retry').description('have the ledger take them again').argument('[ids...]', 'dlt_…; or say which with a filter'),
  )
    .option('--all', 'every open one')
    .option('--wait <seconds>', 'how long to wait for what becomes of them', '30')
    .addOption(json())
    .addOption(url())
    .addHelpText('after', retryHelp)
    .action((ids: string[], options: RetryOptions & Url) =>
      withApi(options, ({ ask, ...reach }) => retryDeadLetters(ask, ids, options, reach)),
    );
  narrowing(command.command('discard').description('put them aside for good').argument('[ids...]', 'dlt_…; or say which with a filter'))
    .requiredOption('--because <reason>', 'why; stands in the audit log')
    .option('--all', 'every open one')
    .addOption(json())
    .addOption(url())
    .addHelpText('after', discardHelp)
    .action((ids: string[], options: DiscardOptions & Url) =>
      withApi(options, ({ ask, ...reach }) => discardDeadLetters(ask, ids, options, reach)),
    );
  return command;
}
