import { COMPLETIONS } from '../../../../schema/http/completions.ts';
import { curl } from '../curl.ts';
import { openaiPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { openaiTypeScript } from '../typescript.ts';

export const completions: Snippet = {
  name: 'completions',
  title: 'A completion, as before chat',
  endpoint: COMPLETIONS,
  model: 'sim/echo',
  code: {
    curl: curl({ path: COMPLETIONS, json: (model) => ({ model, max_tokens: 100, prompt: 'Hello, turnpike!' }) }),
    python: openaiPython(
      (model) => `completion = client.completions.create(model=${model}, max_tokens=100, prompt="Hello, turnpike!")
print(completion.choices[0].text)
`,
    ),
    typescript: openaiTypeScript(
      (model) => `const completion = await client.completions.create({ model: ${model}, max_tokens: 100, prompt: 'Hello, turnpike!' });
console.log(completion.choices[0]?.text);
`,
    ),
  },
};
