import { PASS_THROUGH } from '../../../../schema/http/pass-through.ts';
import { curl } from '../curl.ts';
import { openaiPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { openaiTypeScript } from '../typescript.ts';

const extras = { path: '/openai/v1' };

export const passThrough: Snippet = {
  name: 'pass-through',
  title: 'Whatever else a provider has, such as the vector stores of OpenAI',
  endpoint: PASS_THROUGH,
  model: null,
  code: {
    curl: curl({ path: `${extras.path}/vector_stores` }),
    python: openaiPython(
      () => `for store in client.vector_stores.list():
    print(store.id, store.name)
`,
      extras,
    ),
    typescript: openaiTypeScript(
      () => `for await (const store of client.vectorStores.list()) console.log(store.id, store.name);
`,
      extras,
    ),
  },
};
