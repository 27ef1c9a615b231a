import { MODERATIONS } from '../../../../schema/http/moderations.ts';
import { curl } from '../curl.ts';
import { openaiPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { openaiTypeScript } from '../typescript.ts';

export const moderations: Snippet = {
  name: 'moderations',
  title: 'Whether a text is harmful',
  endpoint: MODERATIONS,
  model: 'sim/echo',
  code: {
    curl: curl({ path: MODERATIONS, json: (model) => ({ model, input: 'Hello, turnpike!' }) }),
    python: openaiPython(
      (model) => `moderation = client.moderations.create(model=${model}, input="Hello, turnpike!")
print(moderation.results[0].flagged)
`,
    ),
    typescript: openaiTypeScript(
      (model) => `const moderation = await client.moderations.create({ model: ${model}, input: 'Hello, turnpike!' });
console.log(moderation.results[0]?.flagged);
`,
    ),
  },
};
