import { COUNT_CONTENT_TOKENS } from '../../../../schema/http/count-content-tokens.ts';
import { curl } from '../curl.ts';
import { googlePython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { googleTypeScript } from '../typescript.ts';
import { contentPath } from './generate-content.ts';

export const countContentTokens: Snippet = {
  name: 'count-content-tokens',
  title: "How many tokens content would have, in Google's dialect",
  endpoint: COUNT_CONTENT_TOKENS,
  model: 'gemini/gemini-2.5-flash',
  code: {
    curl: curl({
      path: (model) => `${contentPath(model)}:countTokens`,
      keyHeader: 'x-goog-api-key',
      json: () => ({ contents: [{ role: 'user', parts: [{ text: 'Hello, turnpike!' }] }] }),
    }),
    python: googlePython(
      (model) => `count = client.models.count_tokens(model=${model}, contents="Hello, turnpike!")
print(count.total_tokens)
`,
    ),
    typescript: googleTypeScript(
      (model) => `const count = await client.models.countTokens({ model: ${model}, contents: 'Hello, turnpike!' });
console.log(count.totalTokens);
`,
    ),
  },
};
