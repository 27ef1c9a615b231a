import { Command, Option } from 'commander';
import { runOnce } from '../run-once.ts';
import { readEndpoints } from '../start/endpoints.ts';
import type { SnippetOptions } from './answer-snippet.ts';
import { answerSnippet } from './answer-snippet.ts';
import { LANGUAGES } from './snippet.ts';

const help = `
The code reads its key from TURNPIKE_KEY when it runs. The key that the first start prints may ask for sim/… only.

  export TURNPIKE_KEY=tpk_ak_…
  npm run -s turnpike -- snippet chat-completions | sh
  npm run -s turnpike -- snippet /v1/messages --language python --model anthropic/claude-sonnet-4-5

Environment:
  TURNPIKE_HOME  without --url the proxy is that of the installation there, else http://127.0.0.1:4000
`;

/** `turnpike snippet`. */
export function snippetCommand(): Command {
  return new Command('snippet')
    .description('print code that asks an endpoint for something, or list what there is')
    .argument('[endpoint]', 'a name from the list, or a path such as /v1/embeddings')
    .addOption(new Option('--language <language>', 'in what').choices(LANGUAGES).default('curl'))
    .option('--model <model>', 'what to ask, as /v1/models names it')
    .option('--url <url>', 'where the proxy is, such as https://llm.acme.example')
    .option('--json', 'answer in JSON')
    .addHelpText('after', help)
    .action((endpoint: string | undefined, { url, ...options }: SnippetOptions & { readonly url?: string }) =>
      runOnce(async ({ home }) => {
        const proxyUrl = url ?? (await readEndpoints(home))?.proxyUrl ?? 'http://127.0.0.1:4000';
        process.stdout.write(answerSnippet(endpoint, options, proxyUrl));
      }),
    );
}
