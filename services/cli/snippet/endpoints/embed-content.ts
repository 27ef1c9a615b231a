import { EMBED_CONTENT } from '../../../../schema/http/embed-content.ts';
import { curl } from '../curl.ts';
import { googlePython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { googleTypeScript } from '../typescript.ts';
import { contentPath } from './generate-content.ts';

export const embedContent: Snippet = {
  name: 'embed-content',
  title: "Content as numbers, in Google's dialect",
  endpoint: EMBED_CONTENT,
  model: 'gemini/gemini-embedding-2',
  code: {
    curl: curl({
      path: (model) => `${contentPath(model)}:batchEmbedContents`,
      keyHeader: 'x-goog-api-key',
      json: (model) => ({ requests: [{ model: `models/${model}`, content: { parts: [{ text: 'Hello, turnpike!' }] } }] }),
    }),
    python: googlePython(
      (model) => `response = client.models.embed_content(model=${model}, contents="Hello, turnpike!")
print(response.embeddings[0].values)
`,
    ),
    typescript: googleTypeScript(
      (model) => `const { embeddings } = await client.models.embedContent({ model: ${model}, contents: 'Hello, turnpike!' });
console.log(JSON.stringify(embeddings?.[0]?.values));
`,
    ),
  },
};
