import { EMBEDDINGS } from '../../../../schema/http/embeddings.ts';
import { curl } from '../curl.ts';
import { openaiPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { openaiTypeScript } from '../typescript.ts';

export const embeddings: Snippet = {
  name: 'embeddings',
  title: 'Embeddings of two texts',
  endpoint: EMBEDDINGS,
  model: 'sim/echo',
  code: {
    curl: curl({ path: EMBEDDINGS, json: (model) => ({ model, input: ['Hello', 'turnpike'] }) }),
    python: openaiPython(
      (model) => `embeddings = client.embeddings.create(model=${model}, input=["Hello", "turnpike"])
for entry in embeddings.data:
    print(entry.index, entry.embedding[:3])
`,
    ),
    typescript: openaiTypeScript(
      (model) => `const embeddings = await client.embeddings.create({ model: ${model}, input: ['Hello', 'turnpike'] });
for (const { index, embedding } of embeddings.data) console.log(index, embedding.slice(0, 3));
`,
    ),
  },
};
