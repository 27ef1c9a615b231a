import { LANGUAGES } from './snippet.ts';
import { SNIPPETS } from './snippets.ts';

const fences = { curl: 'sh', python: 'python', typescript: 'ts' };

const head = `# Snippets

How each endpoint is asked, by curl and by the official clients in Python and TypeScript, against an installation that \`npm start\` made. What the endpoints are is in
[endpoints.md](endpoints.md). \`npm run -s turnpike -- snippet NAME --language python --model MODEL --url URL\` prints one of them for another model and another place.

Each is tested as it stands. They read the key from the environment; the one that the first start prints may ask for \`sim/…\`:

\`\`\`sh
export TURNPIKE_KEY=$(node -p 'require("./.turnpike/endpoints.json").demoKey')
\`\`\`
`;

/** The page `docs/snippets.md`, which `codegen.ts` writes. */
export function renderSnippetsPage(): string {
  const sections = SNIPPETS.map(({ name, title, endpoint, model, code }) => {
    const target = { origin: 'http://127.0.0.1:4000', model: model ?? '' };
    const blocks = LANGUAGES.map((language) => `\`\`\`${fences[language]}\n${code[language](target)}\`\`\`\n`);
    return `## ${name}\n\n${title}: \`${endpoint}\`\n\n${blocks.join('\n')}`;
  });
  return [head, ...sections].join('\n');
}
