import { MODELS } from '../../../../schema/http/models.ts';
import { curl } from '../curl.ts';
import { openaiPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { openaiTypeScript } from '../typescript.ts';

export const models: Snippet = {
  name: 'models',
  title: 'What the key may use',
  endpoint: MODELS,
  model: null,
  code: {
    curl: curl({ path: MODELS }),
    python: openaiPython(
      () => `for model in client.models.list():
    print(model.id)
`,
    ),
    typescript: openaiTypeScript(
      () => `for await (const model of client.models.list()) console.log(model.id);
`,
    ),
  },
};
