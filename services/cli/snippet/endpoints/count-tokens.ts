import { COUNT_TOKENS } from '../../../../schema/http/messages.ts';
import { curl } from '../curl.ts';
import { anthropicPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { anthropicTypeScript } from '../typescript.ts';

export const countTokens: Snippet = {
  name: 'count-tokens',
  title: 'How many tokens a message would have',
  endpoint: COUNT_TOKENS,
  model: 'anthropic/claude-sonnet-4-5',
  code: {
    curl: curl({
      path: COUNT_TOKENS,
      keyHeader: 'x-api-key',
      headers: ['anthropic-version: 2023-06-01'],
      json: (model) => ({ model, messages: [{ role: 'user', content: 'Hello, turnpike!' }] }),
    }),
    python: anthropicPython(
      (model) => `count = client.messages.count_tokens(
    model=${model},
    messages=[{"role": "user", "content": "Hello, turnpike!"}],
)
print(count.input_tokens)
`,
    ),
    typescript: anthropicTypeScript(
      (model) => `const count = await client.messages.countTokens({
  model: ${model},
  messages: [{ role: 'user', content: 'Hello, turnpike!' }],
});
console.log(count.input_tokens);
`,
    ),
  },
};
